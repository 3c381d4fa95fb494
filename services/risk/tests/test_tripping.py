"""Breakers as callers meet them: modes, events, state and what the clock ends."""

import asyncio
from contextlib import aclosing

from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import order_pb2
from trading.types.v1 import risk_pb2 as types

from runtime.times import to_ns
from services.risk.tests import messages
from services.risk.tests.messages import event, execution, spec
from services.risk.tests.rig import Rig, failed
from services.risk.vigil import ASKED_AT_ONCE_MAX

MINE = pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id=messages.ACCOUNT)
THEIRS = pb.Scope(kind=pb.SCOPE_KIND_STRATEGY, id=messages.STRATEGY)
FILLED, CANCELED = order_pb2.ORDER_STATUS_FILLED, order_pb2.ORDER_STATUS_CANCELED
SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS
NEXT_DAY_NS = (messages.START_NS // DAY_NS + 1) * DAY_NS


async def trade(rig: Rig, number: int, quantity: str, price: str) -> None:
    """Let the strategy trade once, whatever risk would say."""
    side = order_pb2.SIDE_SELL if quantity.startswith("-") else order_pb2.SIDE_BUY
    asked = spec(quantity.removeprefix("-"), client_order_id=f"o{number}", side=side)
    report = execution(asked, asked.quantity.value, price, exec_id=f"x{number}")
    await rig.report(event(number, asked, "0", status=FILLED, execution=report))


async def lose(rig: Rig, times: int) -> None:
    """Let the strategy buy and sell at the same price, so that its fees are lost each time."""
    first = rig.service._desk.state.book.sequence + 1
    for number in range(first, first + 2 * times, 2):
        await trade(rig, number, "1", "100")
        await trade(rig, number + 1, "-1", "100")


async def pass_to(rig: Rig, instant_ns: int) -> None:
    """Let the clock reach an instant, and what is due happen."""
    rig.clock.skip_to(instant_ns)
    await asyncio.sleep(0.1)


async def events(rig: Rig, count: int, after: int = 0) -> list[types.RiskEvent]:
    """Return the next events, anomalies left out."""
    found: list[types.RiskEvent] = []
    request = pb.WatchRiskEventsRequest(after_sequence=after)
    stream = rig.as_rita.watch_risk_events(request)
    async with aclosing(stream), asyncio.timeout(30):
        while len(found) < count:
            message = await anext(stream)
            if message.event.kind not in (0, types.RISK_EVENT_KIND_ANOMALY):
                found.append(message.event)
    return found


def named(found: list[types.RiskEvent]) -> list[tuple[str, str]]:
    """Return kind and observation of events."""
    return [
        (types.RiskEventKind.Name(each.kind).removeprefix("RISK_EVENT_KIND_"), each.observed)
        for each in found
    ]


async def test_a_drawdown_halts_the_account_and_survives_a_restart() -> None:
    rig = await Rig.started()
    await trade(rig, 1, "10000", "100")
    await rig.show(messages.candle("100"), messages.candle("79", 1))
    state = await rig.state()
    assert state.mode == pb.TRADING_MODE_HALTED
    await rig.restart()
    again = await rig.state()
    assert again == state
    codes = [types.RiskReason.Name(each.code) for each in again.breakers]
    assert codes == ["RISK_REASON_DAILY_LOSS", "RISK_REASON_DRAWDOWN", "RISK_REASON_DRAWDOWN"]
    assert {"DRAWDOWN", "DAILY_LOSS", "MODE_BLOCKED"} <= set(
        failed(await rig.ask(spec(client_order_id="p")))
    )
    modes = [e for e in await events(rig, 8) if e.kind == types.RISK_EVENT_KIND_MODE_CHANGED]
    assert [(mode.observed, mode.severity) for mode in modes] == [
        ("HALTED", types.SEVERITY_EMERGENCY)
    ]
    await rig.stop()


async def test_a_person_lifts_a_drawdown_that_stands_and_may_trade() -> None:
    rig = await Rig.started()
    await trade(rig, 1, "10000", "100")
    await rig.show(messages.candle("100"), messages.candle("84", 1))
    await rig.set_mode("ACTIVE", MINE, "m1")
    assert (await rig.state()).mode == pb.TRADING_MODE_ACTIVE
    await rig.show(messages.candle("83.9", 2))
    await rig.restart()
    assert (await rig.state()).mode == pb.TRADING_MODE_ACTIVE
    refused = failed(await rig.ask(spec("1", client_order_id="p")))
    assert not {"DRAWDOWN", "DAILY_LOSS", "MODE_BLOCKED"} & set(refused)
    await rig.stop()


async def test_a_day_loss_ends_at_the_next_day_without_any_price() -> None:
    rig = await Rig.started()
    await trade(rig, 1, "10000", "100")
    await rig.show(messages.candle("100"), messages.candle("95", 1))
    (breaker,) = (await rig.state()).breakers
    assert (breaker.code, to_ns(breaker.until)) == (types.RISK_REASON_DAILY_LOSS, NEXT_DAY_NS)
    await pass_to(rig, NEXT_DAY_NS - SECOND_NS)
    assert (await rig.state()).mode == pb.TRADING_MODE_REDUCE_ONLY
    await rig.restart()
    await pass_to(rig, NEXT_DAY_NS)
    state = await rig.state()
    assert (state.mode, state.day_pnl.amount.value) == (pb.TRADING_MODE_ACTIVE, "0")
    assert state.gross.amount.value == "950000"
    told = named(await events(rig, 6))
    assert ("BREAKER_RESET", "0 bp") in told
    assert told[-1] == ("MODE_CHANGED", "ACTIVE")
    await rig.stop()


async def test_the_first_order_of_a_day_meets_no_mode_of_the_day_before() -> None:
    rig = await Rig.started()
    await trade(rig, 1, "10000", "100")
    await rig.show(messages.candle("100"), messages.candle("95", 1))
    rig.clock.skip_to(NEXT_DAY_NS)  # Nobody has had the time to do what is due.
    refused = failed(await rig.ask(spec("1", client_order_id="first")))
    assert not {"DAILY_LOSS", "MODE_BLOCKED"} & set(refused)
    assert named(await events(rig, 6))[-1] == ("MODE_CHANGED", "ACTIVE")
    await rig.restart()
    assert (await rig.state()).mode == pb.TRADING_MODE_ACTIVE
    await rig.stop()


async def test_who_asks_first_on_a_new_day_is_told_its_mode_once_that_is_stored() -> None:
    rig = await Rig.started()
    await trade(rig, 1, "10000", "100")
    await rig.show(messages.candle("100"), messages.candle("95", 1))
    rig.clock.skip_to(NEXT_DAY_NS)
    state = await rig.state()
    assert (state.mode, state.day_pnl.amount.value) == (pb.TRADING_MODE_ACTIVE, "0")
    await rig.restart()
    assert await rig.state() == state
    await rig.stop()


async def test_what_is_due_waits_for_a_store_that_is_away() -> None:
    rig = await Rig.started()
    await trade(rig, 1, "10000", "100")
    await rig.show(messages.candle("100"), messages.candle("95", 1))
    rig.database.faults.is_down = True
    await pass_to(rig, NEXT_DAY_NS)
    rig.database.faults.is_down = False
    await asyncio.sleep(1.0)
    assert (await rig.state()).mode == pb.TRADING_MODE_ACTIVE
    await rig.stop()


async def test_five_losses_pause_the_strategy_for_five_minutes_of_the_clock() -> None:
    rig = await Rig.started()
    await lose(rig, 4)
    assert (await rig.state()).consecutive_losses == 4
    assert not failed(await rig.ask(spec("2", client_order_id="before")))
    await lose(rig, 1)
    tripped_ns = rig.clock.now_ns()
    refused = failed(await rig.ask(spec("3", client_order_id="during")))
    assert refused == ["LOSS_STREAK", "MODE_BLOCKED"]
    another = spec("4", client_order_id="another", strategy_id="strategy-2")
    assert not failed(await rig.ask(another))
    await rig.restart()
    await pass_to(rig, tripped_ns + 299 * SECOND_NS)
    assert failed(await rig.ask(spec("5", client_order_id="still")))
    await pass_to(rig, tripped_ns + 300 * SECOND_NS)
    assert not failed(await rig.ask(spec("6", client_order_id="after")))
    assert (await rig.state()).consecutive_losses == 0
    await rig.stop()


async def test_streaks_and_openings_survive_a_restart() -> None:
    rig = await Rig.started()
    await lose(rig, 4)
    await rig.restart()
    assert (await rig.state()).consecutive_losses == 4
    await lose(rig, 1)
    assert failed(await rig.ask(spec("3", client_order_id="p"))) == ["LOSS_STREAK", "MODE_BLOCKED"]
    await rig.stop()


async def test_more_than_twenty_openings_in_a_minute_need_a_person() -> None:
    rig = await Rig.started()
    for number in range(1, 21):
        await trade(rig, number, "1", "100")
    assert "REPEATED_EXECUTION" not in failed(await rig.ask(spec("3", client_order_id="p")))
    await rig.restart()
    await trade(rig, 21, "1", "100")
    assert {"REPEATED_EXECUTION", "MODE_BLOCKED"} <= set(
        failed(await rig.ask(spec("4", client_order_id="q")))
    )
    await pass_to(rig, messages.START_NS + 7 * DAY_NS)
    assert "REPEATED_EXECUTION" in failed(await rig.ask(spec("5", client_order_id="r")))
    await rig.set_mode("ACTIVE", THEIRS, "m1")
    refused = failed(await rig.ask(spec("6", client_order_id="s")))
    assert not {"REPEATED_EXECUTION", "MODE_BLOCKED"} & set(refused)
    await rig.stop()


async def test_stricter_limits_trip_at_once() -> None:
    rig = await Rig.started()
    await trade(rig, 1, "5000", "100")
    await rig.show(messages.candle("100"), messages.candle("97", 1))
    assert (await rig.state()).mode == pb.TRADING_MODE_ACTIVE
    found = await rig.as_rita.get_limits(pb.GetLimitsRequest(scope=MINE))
    found.limits.drawdown_bps_halted = 100
    request = pb.SetLimitsRequest(scope=MINE, limits=found.limits, etag=found.etag, request_id="l1")
    await rig.as_rita.set_limits(request)
    assert (await rig.state()).mode == pb.TRADING_MODE_HALTED
    await rig.stop()


async def test_a_hold_is_read_back_after_a_minute_of_the_clock() -> None:
    rig = await Rig.started()
    await rig.ask(spec())
    held = (await rig.state()).holds
    await pass_to(rig, messages.START_NS + 59 * SECOND_NS)
    assert rig.orders.asked == []
    await pass_to(rig, messages.START_NS + 61 * SECOND_NS)
    (stuck,) = await events(rig, 1)
    assert rig.orders.asked == ["o1"]
    assert stuck.kind == types.RISK_EVENT_KIND_HOLD_STUCK
    assert (stuck.severity, stuck.limit) == (types.SEVERITY_CRITICAL, "60 s")
    assert (await rig.state()).holds == held  # Never by time.
    await pass_to(rig, messages.START_NS + 600 * SECOND_NS)
    assert rig.orders.asked == ["o1"]
    await rig.stop()


async def test_a_stuck_hold_of_an_order_that_never_left_is_given_back() -> None:
    rig = await Rig.started()
    await rig.ask(spec())
    rig.orders.orders["o1"] = order_pb2.Order(spec=spec(), status=CANCELED)
    await pass_to(rig, messages.START_NS + 61 * SECOND_NS)
    (stuck,) = await events(rig, 1)
    assert stuck.observed.endswith("orders says CANCELED")
    assert (await rig.state()).holds.amount.value == "0"
    await rig.stop()


async def test_a_stuck_hold_of_an_order_that_works_is_kept() -> None:
    rig = await Rig.started()
    await rig.ask(spec())
    held = (await rig.state()).holds
    rig.orders.orders["o1"] = order_pb2.Order(spec=spec(), status=order_pb2.ORDER_STATUS_IN_DOUBT)
    await rig.restart()
    await pass_to(rig, messages.START_NS + 61 * SECOND_NS)
    (stuck,) = await events(rig, 1)
    assert stuck.observed.endswith("orders says IN_DOUBT")
    assert (await rig.state()).holds == held
    await rig.stop()


async def test_many_stuck_holds_are_looked_into_a_few_at_a_time() -> None:
    rig = await Rig.started()
    await rig.ask(spec())
    names = [f"o{number}" for number in range(1, 21)]
    unconfirmed = rig.service._desk.state.unconfirmed
    unconfirmed |= {(messages.ACCOUNT, name): messages.START_NS for name in names}
    rig.orders.takes_s = 0.01
    await pass_to(rig, messages.START_NS + 61 * SECOND_NS)
    found = await events(rig, 20)
    assert rig.orders.asked == names
    assert rig.orders.asked_at_once_max == ASKED_AT_ONCE_MAX
    assert [one.observed.split()[1].rstrip(",") for one in found] == names
    await rig.stop()
