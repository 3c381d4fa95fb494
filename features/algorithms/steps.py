"""Steps of algorithms: time passes, and what was sent, shown and traded by then is looked at."""

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.risk.v1 import risk_pb2
from trading.types.v1.order_pb2 import EXECUTION_STYLE_CROSS, OrderStatus

from features.bdd import given, then, when
from fixtures import dealing, working_orders
from fixtures.mothers import decimal
from fixtures.stage import Stage
from fixtures.working_orders import (
    Worked,
    algorithm,
    cancel_order,
    execution_of,
    jitters,
    late_ns,
    meet_bids,
    others_trade,
    parts_of,
    restart_each,
    set_mode,
    sizes_of,
    urgent,
    visible_lots,
)
from runtime.times import to_ns

Looks = list[tuple[int, ...]]  # Filled, working, doubtful and unscheduled.

scenarios("algorithms")


@given(parse("the venue quotes both sides around {price}"))
async def stand_at(stage: Stage, price: str) -> None:
    await working_orders.stand_at(stage, price)


@given(parse('nobody quotes "{symbol}", which last traded at {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(
    parse("Ana buys {lots:d} in ten equal parts over a minute"),
    target_fixture="worked",
)
async def work_evenly(stage: Stage, lots: int) -> Worked:
    return await working_orders.work(stage, lots, algorithm(stage, "TWAP", seconds=60))


@given(
    parse("Ana buys {lots:d} in ten equal parts over a minute, at most {most:d} at a time"),
    target_fixture="worked",
)
async def work_evenly_capped(stage: Stage, lots: int, most: int) -> Worked:
    how = algorithm(stage, "TWAP", seconds=60)
    how.max_child.CopyFrom(decimal(most))
    how.style = EXECUTION_STYLE_CROSS
    return await working_orders.work(stage, lots, how)


@given(parse("Ana buys {lots:d} at a fifth of the volume over a minute"), target_fixture="worked")
async def work_by_volume(stage: Stage, lots: int) -> Worked:
    how = algorithm(stage, "POV", seconds=60)
    how.participation.CopyFrom(decimal("0.2"))
    how.style = EXECUTION_STYLE_CROSS
    return await working_orders.work(stage, lots, how)


@given(
    parse("Ana buys {lots:d} with urgency {urgency:d} over a minute"),
    target_fixture="worked",
)
async def work_urgently(stage: Stage, lots: int, urgency: int) -> Worked:
    return await working_orders.work(stage, lots, urgent(stage, urgency))


@given(parse("Ana bids for {lots:d} and shows {shown:d}"), target_fixture="worked")
async def work_hidden(stage: Stage, lots: int, shown: int) -> Worked:
    how = algorithm(stage, "ICEBERG", seconds=60)
    how.display_quantity.CopyFrom(decimal(shown))
    worked = await working_orders.work(stage, lots, how)
    await stage.pass_time(1)
    return worked


@given(parse("{seconds:d} seconds have passed"))
async def have_passed(stage: Stage, seconds: int) -> None:
    await stage.pass_time(seconds)


@when("the minute passes", target_fixture="looks")
async def pass_minute(stage: Stage, worked: Worked) -> Looks:
    return await working_orders.pass_seconds(stage, worked, 65)


@when(parse("execution is down for {seconds:d} seconds"))
async def go_down(stage: Stage, seconds: int) -> None:
    await stage.pass_time(9)
    await stage.system.crash("execution")
    await stage.pass_time(seconds)
    await stage.system.restart("execution")
    await stage.pass_time(1)


@given(parse("others trade {lots:d} in each of {count:d} seconds"), target_fixture="looks")
@when(parse("others trade {lots:d} in each of {count:d} seconds"), target_fixture="looks")
async def trade_others(stage: Stage, worked: Worked, lots: int, count: int) -> Looks:
    return await others_trade(stage, worked, lots, count)


@when(
    parse("Ana buys {lots:d} with no aversion to risk over a minute"),
    target_fixture="other",
)
async def work_patiently(stage: Stage, lots: int) -> Worked:
    how = algorithm(stage, "IMPLEMENTATION_SHORTFALL", seconds=60)
    how.risk_aversion, how.volatility, how.impact = 0.0, 0.01, 0.001
    return await working_orders.work(stage, lots, how)


@when(parse("Ana buys {lots:d} with urgency {urgency:d} over a minute and cancels half-way"))
async def work_and_cancel(stage: Stage, lots: int, urgency: int) -> None:
    worked = await working_orders.work(stage, lots, urgent(stage, urgency))
    await stage.pass_time(30)
    await cancel_order(stage, worked)
    await stage.pass_time(60)


@when(parse("the market comes to her bid {times:d} times"), target_fixture="shown")
async def come_to_bid(stage: Stage, times: int) -> list[int]:
    return await meet_bids(stage, times)


@when("Ana cancels the order")
async def cancel(stage: Stage, worked: Worked) -> None:
    await cancel_order(stage, worked)


@when(parse("execution restarts every {seconds:d} seconds of the minute"))
async def restart_often(stage: Stage, seconds: int) -> None:
    await restart_each(stage, seconds, 60 // seconds + 1)


@when(parse("the account may only cancel for {seconds:d} seconds"), target_fixture="looks")
async def only_cancel(stage: Stage, worked: Worked, seconds: int) -> Looks:
    await set_mode(stage, risk_pb2.TRADING_MODE_CANCEL_ONLY)
    looks = await working_orders.pass_seconds(stage, worked, seconds)
    await set_mode(stage, risk_pb2.TRADING_MODE_ACTIVE)
    return looks


@then(parse("filled, working, doubtful and unscheduled were {lots:d} at every look"))
def adds_up(looks: Looks, lots: int) -> None:
    assert {sum(parts) for parts in looks} == {lots}
    assert len({parts[0] for parts in looks}) > 5  # It was not all or nothing.


@then(parse("the venue's orders traded {lots:d} in all"))
async def traded(stage: Stage, lots: int) -> None:
    found = await dealing.venue_orders(stage)
    assert sum(int(order.cum_quantity.value) for order in found) == lots


@then(parse("her order is {status}"))
async def rests_as(stage: Stage, worked: Worked, status: str) -> None:
    order = await working_orders.order_of(stage, worked)
    assert OrderStatus.Name(order.status) == f"ORDER_STATUS_{status}"


@then(parse("each of {count:d} slices left when it was due, a tenth apart give or take a fifth"))
async def left_in_time(stage: Stage, worked: Worked, count: int) -> None:
    execution = await execution_of(stage, worked)
    late = [to_ns(one.sent_time) - to_ns(one.due_time) for one in execution.slices]
    assert len(late) == count
    assert 0 <= min(late) <= max(late) <= late_ns(stage)
    assert 0 < max(jitters(execution)) <= 0.2 + 1e-6


@then(parse("the missed slices were caught up in one child of {lots:d}"))
async def caught_up(stage: Stage, worked: Worked, lots: int) -> None:
    execution = await execution_of(stage, worked)
    assert sizes_of(execution)[-1] == max(sizes_of(execution)) == lots
    assert [one.outcome for one in execution.slices].count("MERGED") >= 2


@then("never more than a fifth of the volume was hers, nor could have become")
def stays_below(looks: Looks) -> None:
    others = [40 * number for number in range(1, len(looks) + 1)]
    assert all(4 * sum(parts[:3]) <= lots for parts, lots in zip(looks, others, strict=True))


@then(parse("she has bought {least:d} to {most:d}"))
async def has_bought(stage: Stage, worked: Worked, least: int, most: int) -> None:
    assert least <= parts_of(await execution_of(stage, worked))[0] <= most


@then("the first slice was the largest")
async def first_is_largest(stage: Stage, worked: Worked) -> None:
    first, *others = sizes_of(await execution_of(stage, worked))
    assert first > max(others)


@then("both schedules have the same targets")
async def has_same_targets(stage: Stage, worked: Worked, other: Worked) -> None:
    even, patient = await execution_of(stage, worked), await execution_of(stage, other)
    assert [one.target for one in even.slices] == [one.target for one in patient.slices]
    assert len(even.slices) == 10


@then(parse("never more than {lots:d} of it were to be seen"))
def hides_the_rest(shown: list[int], lots: int) -> None:
    assert 0 < min(shown) <= max(shown) <= lots


@then(parse("it was refilled {times:d} times"))
async def is_refilled(stage: Stage, shown: list[int], times: int) -> None:
    assert len(shown) == times
    assert await visible_lots(stage) > 0


@then("no child follows in the rest of the minute")
async def nothing_follows(stage: Stage, worked: Worked) -> None:
    before = sizes_of(await execution_of(stage, worked))
    await stage.pass_time(45)
    assert sizes_of(await execution_of(stage, worked)) == before
    assert 0 < sum(before) < worked.lots


@then("no slice was sent twice")
async def no_slice_twice(stage: Stage, worked: Worked) -> None:
    children = (await execution_of(stage, worked)).children
    sent = [(child.slice, child.meeting) for child in children]
    assert len(sent) == len(set(sent))
    assert {child.attempts for child in children} == {1}


@then(parse("her order is {status} by the end of the minute"))
async def ends_as(stage: Stage, worked: Worked, status: str) -> None:
    await stage.pass_time(30)
    order = await working_orders.order_of(stage, worked)
    assert OrderStatus.Name(order.status) == f"ORDER_STATUS_{status}"


@then("nothing of her order was open during that time")
def nothing_open(looks: Looks) -> None:
    assert {parts[1] + parts[2] for parts in looks} == {0}
    assert len({parts[0] for parts in looks}) == 1


@then("no child was sent, for want of a reference")
async def no_reference(stage: Stage, worked: Worked) -> None:
    execution = await execution_of(stage, worked)
    assert list(execution.children) == []
    assert {one.outcome for one in execution.slices} == {"NO_REFERENCE"}


@then("every check of execution has something to examine and finds nothing")
async def passes_checks(stage: Stage) -> None:
    judged = await working_orders.judged(stage)
    assert {name: one.violations for name, one in judged.items() if one.violations} == {}
    assert {name for name, one in judged.items() if not one.examined} == set()
