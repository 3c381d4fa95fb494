"""Parents that are worked over time: slices at their times, sums that hold, and clean ends."""

from itertools import pairwise

import pytest
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import execution_pb2, order_pb2
from trading.types.v1.order_pb2 import EXECUTION_STYLE_CROSS

from runtime.times import to_ns
from services.execution.tests.mothers import ANA, START_NS
from services.execution.tests.working import MINUTE_NS, WorkingRig, order

State = pb.ExecutionState


def cancel(request_id: str = "c-1") -> pb.CancelExecutionRequest:
    return pb.CancelExecutionRequest(
        account=ANA, client_order_id="order-1", request_id=request_id, epoch=1
    )


async def test_the_order_is_taken_at_once_and_its_first_report_says_so() -> None:
    rig = await WorkingRig.started()
    answer = await rig.send(order("TWAP"))
    assert answer.state == State.EXECUTION_STATE_WORKING
    assert answer.first_report.exec_type == execution_pb2.EXEC_TYPE_NEW
    assert (answer.plan.slices, answer.plan.algorithm) == (10, order_pb2.ALGORITHM_KIND_TWAP)
    assert to_ns(answer.plan.end_time) == START_NS + 10 * MINUTE_NS
    again = await rig.send(order("TWAP"))
    assert again.first_report == answer.first_report
    await rig.rest()
    assert (await rig.reports())[0] == answer.first_report


async def test_slices_leave_at_their_times_not_at_once() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(5)
    assert len(rig.sent) <= 1
    await rig.pass_s(600)
    assert [lots for _, lots in rig.sent] == [10] * 10
    slices = (await rig.state()).slices
    for number, one in enumerate(slices):
        even_ns = START_NS + number * MINUTE_NS
        assert abs(to_ns(one.due_time) - even_ns) <= MINUTE_NS // 5
        assert 0 <= to_ns(one.sent_time) - to_ns(one.due_time) <= 50_000_000
    gaps = {to_ns(b.due_time) - to_ns(a.due_time) for a, b in pairwise(slices)}
    assert len(gaps) > 1


async def test_a_filled_parent_is_told_filled_by_its_last_trade() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(610)
    state = await rig.state()
    assert state.state == State.EXECUTION_STATE_FILLED
    assert await rig.parts() == (100, 0, 0, 0)
    trades = await rig.trades()
    assert [(t.cum_quantity.value, t.leaves_quantity.value) for t in trades][-1] == ("100", "0")
    assert trades[-1].order_status == order_pb2.ORDER_STATUS_FILLED
    assert {trade.client_order_id for trade in trades} == {"order-1"}
    assert trades[0].child_order_id == "order-1/1"
    assert [int(t.cum_quantity.value) for t in trades] == list(range(10, 101, 10))


async def test_a_slice_waits_at_its_own_side_and_crosses_half_way() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(20)
    (passive,) = rig.venue.places
    assert passive.order.limit_price.value == "99.9"
    assert await rig.parts() == (0, 10, 0, 90)
    rig.venue.take("order-1/1", 4)
    await rig.pass_s(30)
    crossing = rig.venue.places[1].order
    assert (crossing.quantity.value, crossing.limit_price.value) == ("6", "100.1")
    assert crossing.time_in_force == order_pb2.TIME_IN_FORCE_IOC
    assert await rig.parts() == (10, 0, 0, 90)


async def test_no_child_is_priced_beyond_the_parents_limit() -> None:
    rig = await WorkingRig.started()
    limit = order("TWAP").limit_price
    limit.value = "100"
    await rig.send(order("TWAP", limit_price=limit))
    await rig.pass_s(650)
    assert rig.sent
    assert all(float(p.order.limit_price.value) <= 100 for p in rig.venue.places)
    state = await rig.state()
    assert state.state == State.EXECUTION_STATE_CANCELED
    last = (await rig.reports())[-1]
    assert last.exec_type == execution_pb2.EXEC_TYPE_CANCELED
    assert last.reject_reason == execution_pb2.VENUE_REASON_WINDOW_ENDED
    assert (last.cum_quantity.value, last.leaves_quantity.value) == ("0", "0")


async def test_without_a_market_price_no_child_is_sent() -> None:
    rig = await WorkingRig.started()
    rig.venue.bid = rig.venue.ask = 0
    await rig.send(order("TWAP"))
    await rig.pass_s(130)
    assert rig.sent == []
    state = await rig.state()
    assert (state.note, state.slices[0].outcome) == ("NO_REFERENCE", "NO_REFERENCE")
    rig.venue.bid, rig.venue.ask = 9_990, 10_010
    await rig.pass_s(60)
    assert rig.sent[0][1] >= 30  # What was missed is caught up.


async def test_what_must_complete_goes_to_the_collar_at_the_end() -> None:
    rig = await WorkingRig.started()
    rig.venue.depth_lots = 0  # Nobody is there yet.
    await rig.send(order("TWAP", must_complete=True))
    await rig.pass_s(600.5)
    assert await rig.parts() == (0, 0, 0, 100)
    rig.venue.depth_lots = 1_000
    await rig.pass_s(2)
    last = rig.venue.places[-1].order
    assert (last.quantity.value, last.limit_price.value) == ("100", "105")
    assert (await rig.state()).state == State.EXECUTION_STATE_FILLED


async def test_completing_is_tried_once_a_second_for_five_seconds() -> None:
    rig = await WorkingRig.started()
    rig.venue.depth_lots = 0
    await rig.send(order("TWAP", must_complete=True))
    await rig.pass_s(700)
    completing = [p for p in rig.venue.places if p.order.limit_price.value == "105"]
    assert len(completing) == 5
    assert (await rig.state()).state == State.EXECUTION_STATE_CANCELED


async def test_a_canceled_parent_sends_no_further_child() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(80)
    answer = await rig.execution.cancel_execution(cancel())
    assert answer.state == State.EXECUTION_STATE_CANCELED
    assert rig.venue.resting() == {}
    sent = list(rig.sent)
    await rig.pass_s(600)
    assert rig.sent == sent
    assert await rig.parts() == (10, 0, 0, 0)
    last = (await rig.reports())[-1]
    assert last.exec_type == execution_pb2.EXEC_TYPE_CANCELED
    assert (last.cum_quantity.value, last.leaves_quantity.value) == ("10", "0")


async def test_an_older_start_of_another_body_is_refused() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    with pytest.raises(Exception, match="another order"):
        await rig.send(order("TWAP", quantity=50))


async def test_a_price_that_comes_late_once_does_not_cost_the_last_slice() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(555)  # Its first half rests; the second will ask for the price.
    rig.venue.late_books = 1
    await rig.pass_s(95)
    assert rig.venue.late_books == 0
    assert (await rig.state()).state == State.EXECUTION_STATE_FILLED
