import asyncio
from contextlib import aclosing

import pytest
from grpc import StatusCode
from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.errors import ServiceError
from services.portfolio.tests import mothers
from services.portfolio.tests.rig import Rig, sums

MINUTE_NS = 60 * 10**9


async def refused(work: object) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await work  # type: ignore[misc]
    return raised.value


async def test_everything_committed_is_there_after_a_crash() -> None:
    rig = await Rig.started()
    event = await rig.trade("10", "50")
    await rig.show(mothers.candle("55"))
    before = (await rig.money(), await rig.position(), await rig.journals())
    await rig.restart()
    assert before == (await rig.money(), await rig.position(), await rig.journals())
    assert await rig.report(event) == 1
    assert len(await rig.journals()) == 2
    await rig.trade("-10", "55")
    assert (await rig.money())["realised"] == "50"
    await rig.service.stop()


async def test_a_store_that_fails_leaves_the_books_as_they_were() -> None:
    rig = await Rig.started()
    event = mothers.event(1, mothers.execution("10", "50"))
    for fault in ("is_down", "is_full"):
        setattr(rig.database.faults, fault, True)
        error = await refused(rig.report(event))
        assert error.code is StatusCode.UNAVAILABLE
        setattr(rig.database.faults, fault, False)
        assert (await rig.position()).quantity.value == "0"
    assert await rig.report(event) == 1
    assert sums(await rig.journals())["cost:ALPHA.XSIM"] == 50_000
    await rig.service.stop()


async def test_a_lost_answer_of_the_commit_books_nothing_twice() -> None:
    rig = await Rig.started()
    event = mothers.event(1, mothers.execution("10", "50"))
    rig.database.faults.answers_to_lose = 1
    error = await refused(rig.report(event))
    assert not error.definite
    assert await rig.report(event) == 1
    assert (await rig.position()).quantity.value == "10"
    assert len(await rig.journals()) == 2
    await rig.service.stop()


async def test_a_watcher_gets_the_newest_state_of_every_account_that_changed() -> None:
    rig = await Rig.started()
    request = pb.WatchPortfolioRequest()
    async with aclosing(rig.portfolio.watch_portfolio(request)) as stream:
        first = await anext(stream)
        assert first.is_heartbeat
        assert (await anext(stream)).portfolio.equity.amount.value == "1000000"
        for _ in range(5):
            await rig.trade("1", "10")
        assert (await anext(stream)).portfolio.fees.amount.value == "5"
        assert (await anext(stream)).is_heartbeat
    await rig.service.stop()


async def test_a_watcher_of_one_account_hears_nothing_of_others() -> None:
    rig = await Rig.started()
    request = pb.WatchPortfolioRequest(account="another")
    async with aclosing(rig.portfolio.watch_portfolio(request)) as stream:
        assert (await anext(stream)).is_heartbeat
        await rig.trade("1", "10")
        assert (await anext(stream)).is_heartbeat
    await rig.service.stop()


async def test_a_caller_that_leaves_in_the_middle_loses_nothing() -> None:
    rig = await Rig.started()
    event = mothers.event(1, mothers.execution("10", "50"))
    rig.database.faults.delay_s = 0.5
    leaving = asyncio.create_task(rig.report(event))
    await asyncio.sleep(0.1)
    leaving.cancel()
    rig.database.faults.delay_s = 0.0
    assert await rig.report(event) == 1
    assert len(await rig.journals()) == 2
    await rig.service.stop()
