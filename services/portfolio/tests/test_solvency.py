"""Cash below zero lets the account reduce only: risk is told once, and until it has heard."""

import asyncio

from trading.risk.v1 import risk_pb2 as risk_pb

from services.portfolio.tests import mothers
from services.portfolio.tests.rig import Rig


async def told(rig: Rig, seconds: float = 2.0) -> list[risk_pb.SetTradingModeRequest]:
    """Return what risk was asked after some time, in which everything due has happened."""
    await asyncio.sleep(seconds)
    return rig.risk.asked


async def overdraw(rig: Rig) -> None:
    """Spend all there is, fees excepted: they take the cash below zero."""
    await rig.trade("10", "100", fee=mothers.usd("1"))


async def test_fees_beyond_the_cash_let_the_account_reduce_only() -> None:
    rig = await Rig.started("1000")
    await overdraw(rig)
    (asked,) = await told(rig)
    assert asked.mode == risk_pb.TRADING_MODE_REDUCE_ONLY
    assert asked.scope.id == mothers.ACCOUNT
    assert (await rig.money())["cash"] == "-1"
    await rig.service.stop()


async def test_a_risk_service_that_is_away_is_told_when_it_is_back() -> None:
    rig = await Rig.started("1000")
    rig.risk.is_away = True
    await overdraw(rig)
    before = len(await told(rig))
    rig.risk.is_away = False
    assert len(await told(rig)) == before + 1 > 2
    assert len({asked.request_id for asked in rig.risk.asked}) == 1
    await rig.service.stop()


async def test_what_was_told_is_not_told_again_after_a_restart() -> None:
    rig = await Rig.started("1000")
    await overdraw(rig)
    await told(rig)
    await rig.restart()
    assert len(await told(rig)) == 1
    await rig.service.stop()


async def test_a_crash_before_risk_was_told_loses_nothing() -> None:
    rig = await Rig.started("1000")
    rig.risk.is_away = True
    await overdraw(rig)
    rig.risk.is_away = False
    await rig.restart()
    assert {asked.mode for asked in await told(rig)} == {risk_pb.TRADING_MODE_REDUCE_ONLY}
    await rig.service.stop()


async def test_cash_that_falls_below_zero_a_second_time_is_told_again() -> None:
    rig = await Rig.started("1000")
    await overdraw(rig)
    await told(rig)
    await rig.transfer("500", key="t2")
    await rig.trade("5", "100")
    assert len({asked.request_id for asked in await told(rig)}) == 2
    await rig.service.stop()


async def test_cash_of_nothing_is_not_below_zero() -> None:
    rig = await Rig.started("1001")
    await overdraw(rig)
    assert await told(rig) == []
    await rig.service.stop()
