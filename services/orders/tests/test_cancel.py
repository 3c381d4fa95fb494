"""Cancels race with fills, answers get lost, and every race has one outcome."""

import asyncio

import pytest
from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as execution_pb
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import execution_pb2, order_pb2

from runtime.errors import ServiceError, refusal
from services.orders.tests.mothers import canceled, dec, limit_order, report, trade
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import Away

SPEC = limit_order()
CANCEL = pb.CancelOrderRequest(client_order_id="ana-1", request_id="c1")


async def working_order() -> Rig:
    rig = await Rig.started()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=SPEC))
    return rig


async def shown(rig: Rig) -> order_pb2.Order:
    return (await rig.orders.get_order(pb.GetOrderRequest(client_order_id="ana-1"))).order


async def test_a_working_order_is_canceled_and_the_answer_says_so() -> None:
    rig = await working_order()
    answer = await rig.orders.cancel_order(CANCEL)
    assert answer.order.status == order_pb2.ORDER_STATUS_CANCELED
    assert answer.order.leaves_quantity.value == "0"
    assert await rig.orders.cancel_order(CANCEL) == answer
    assert len(rig.execution.cancels) == 1
    await asyncio.sleep(1)
    assert not rig.is_busy()
    await rig.stop()


async def test_an_order_is_canceled_by_this_platforms_name_too() -> None:
    rig = await working_order()
    order_id = (await shown(rig)).order_id
    answer = await rig.orders.cancel_order(
        pb.CancelOrderRequest(order_id=order_id, request_id="c2")
    )
    assert answer.order.status == order_pb2.ORDER_STATUS_CANCELED
    await rig.stop()


async def test_a_cancel_crossing_a_fill_ends_filled() -> None:
    rig = await working_order()
    rig.execution.is_cancel_reported = False
    rig.execution.state_after_cancel = execution_pb.EXECUTION_STATE_FILLED
    task = asyncio.ensure_future(rig.orders.cancel_order(CANCEL))
    await asyncio.sleep(0.1)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_PENDING_CANCEL
    assert (await shown(rig)).working_status == order_pb2.ORDER_STATUS_NEW
    too_late = report(SPEC, execution_pb2.EXEC_TYPE_CANCEL_REJECTED, "r1", cum_quantity=dec("10"))
    rig.execution.happen(trade(SPEC, "x1", 10, cum=10), too_late)
    assert (await task).order.status == order_pb2.ORDER_STATUS_FILLED
    await asyncio.sleep(5)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_FILLED
    assert not rig.is_busy()
    await rig.stop()


async def test_a_partial_fill_while_a_cancel_is_pending_is_booked_and_the_rest_canceled() -> None:
    rig = await working_order()
    rig.execution.is_cancel_reported = False
    task = asyncio.ensure_future(rig.orders.cancel_order(CANCEL))
    await asyncio.sleep(0.1)
    rig.execution.happen(trade(SPEC, "x1", 4, cum=4), canceled(SPEC, cum=4))
    answer = await task
    assert answer.order.status == order_pb2.ORDER_STATUS_CANCELED
    assert answer.order.cum_quantity.value == "4"
    await rig.stop()


async def test_a_refused_cancel_leaves_the_order_working() -> None:
    rig = await working_order()
    rig.execution.is_cancel_reported = False
    task = asyncio.ensure_future(rig.orders.cancel_order(CANCEL))
    await asyncio.sleep(0.1)
    rig.execution.happen(report(SPEC, execution_pb2.EXEC_TYPE_CANCEL_REJECTED, "r1"))
    assert (await task).order.status == order_pb2.ORDER_STATUS_NEW
    await rig.stop()


async def test_an_unanswered_cancel_is_in_doubt_queried_and_repeated_under_its_name() -> None:
    rig = await working_order()
    rig.execution.cancel_errors = [Away] * 3
    answer = await rig.orders.cancel_order(CANCEL)
    assert answer.order.status == order_pb2.ORDER_STATUS_IN_DOUBT
    assert answer.order.doubt == order_pb2.DOUBT_CANCEL
    assert answer.order.working_status == order_pb2.ORDER_STATUS_NEW
    await asyncio.sleep(5)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_CANCELED
    assert len({cancel.request_id for cancel in rig.execution.cancels}) == 1
    await asyncio.sleep(5)
    assert not rig.is_busy()
    await rig.stop()


async def test_a_cancel_is_found_out_though_the_store_is_away_for_longer_than_two_tries() -> None:
    rig = await working_order()
    rig.execution.cancel_errors = [Away] * 3
    asking = asyncio.ensure_future(rig.orders.cancel_order(CANCEL))
    await asyncio.sleep(0.01)
    assert rig.execution.cancels, "it was not sent yet"
    rig.database.faults.is_down = True
    await asyncio.sleep(5)
    rig.database.faults.is_down = False
    await asyncio.sleep(10)
    assert isinstance(asking.exception(), ServiceError)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_CANCELED
    assert not rig.is_busy()
    await rig.stop()


async def test_a_cancel_that_did_nothing_is_found_out_by_asking() -> None:
    rig = await working_order()
    rig.execution.is_cancel_reported = False
    rig.execution.state_after_cancel = execution_pb.EXECUTION_STATE_WORKING
    await rig.orders.cancel_order(CANCEL)
    await asyncio.sleep(5)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_NEW
    assert not rig.is_busy()
    await rig.stop()


async def test_a_cancel_execution_does_not_know_leaves_the_order_as_it_was() -> None:
    rig = await working_order()
    unknown = refusal(StatusCode.NOT_FOUND, "EXECUTION_UNKNOWN", "?", service="execution")
    rig.execution.cancel_errors = [unknown]
    answer = await rig.orders.cancel_order(CANCEL)
    assert answer.order.status == order_pb2.ORDER_STATUS_NEW
    await asyncio.sleep(0.1)
    assert [q.client_order_id for q in rig.execution.queries] == ["ana-1"]
    await rig.stop()


async def test_an_order_not_sent_yet_is_canceled_at_once() -> None:
    rig = await Rig.started()
    rig.risk.delay_s = 0.1
    task = asyncio.ensure_future(rig.orders.submit_order(pb.SubmitOrderRequest(order=SPEC)))
    await asyncio.sleep(0.05)
    answer = await rig.orders.cancel_order(CANCEL)
    assert answer.order.status == order_pb2.ORDER_STATUS_CANCELED
    assert (await task).order.status == order_pb2.ORDER_STATUS_CANCELED
    assert rig.execution.starts == []
    await rig.stop()


async def test_what_has_ended_cannot_be_canceled() -> None:
    rig = await working_order()
    rig.execution.happen(trade(SPEC, "x1", 10, cum=10))
    await asyncio.sleep(0.1)
    with pytest.raises(ServiceError) as refused:
        await rig.orders.cancel_order(CANCEL)
    assert refused.value.code is StatusCode.FAILED_PRECONDITION
    assert refused.value.reason == "ORDER_ENDED"
    await rig.stop()


async def test_an_unknown_order_cannot_be_canceled() -> None:
    rig = await Rig.started()
    with pytest.raises(ServiceError) as refused:
        await rig.orders.cancel_order(CANCEL)
    assert (refused.value.code, refused.value.reason) == (StatusCode.NOT_FOUND, "ORDER_UNKNOWN")
    await rig.stop()
