"""Replacements: risk first, one name, the old values until the venue has answered."""

import asyncio
from typing import Any

import pytest
from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as execution_pb
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import execution_pb2, order_pb2, risk_pb2
from trading.types.v1.event_pb2 import OrderCause
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.errors import ServiceError, refusal
from services.orders.tests.mothers import canceled, dec, limit_order, report, trade
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import Away

SPEC = limit_order()
REFUSED = execution_pb2.EXEC_TYPE_CANCEL_REJECTED


async def working_order() -> Rig:
    rig = await Rig.started()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=SPEC))
    return rig


async def shown(rig: Rig) -> order_pb2.Order:
    return (await rig.orders.get_order(pb.GetOrderRequest(client_order_id="ana-1"))).order


async def wanted(rig: Rig, **changes: Any) -> pb.ReplaceOrderRequest:
    values: dict[str, Any] = {
        "client_order_id": "ana-1",
        "request_id": "r1",
        "etag": (await shown(rig)).version,
    }
    return pb.ReplaceOrderRequest(**(values | changes))


def replaced(exec_id: str = "rep-1", **changes: Any) -> ExecutionReport:
    return report(SPEC, execution_pb2.EXEC_TYPE_REPLACED, exec_id, **changes)


def confirm(rig: Rig, **changes: Any) -> None:
    """Let the venue confirm every replacement at once."""
    rig.execution.on_replace = lambda _: rig.execution.happen(replaced(**changes))


async def refusal_of(rig: Rig, request: pb.ReplaceOrderRequest) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        await rig.orders.replace_order(request)
    return refused.value


async def test_a_confirmed_replacement_has_the_new_values_and_is_sent_once() -> None:
    rig = await working_order()
    confirm(rig, leaves_quantity=dec("12"))
    request = await wanted(rig, quantity=dec("12"), limit_price=dec("101"))
    answer = await rig.orders.replace_order(request)
    assert answer.order.status == order_pb2.ORDER_STATUS_NEW
    assert answer.order.spec.quantity.value == "12"
    assert answer.order.spec.limit_price.value == "101"
    assert answer.order.leaves_quantity.value == "12"
    assert await rig.orders.replace_order(request) == answer
    (sent,) = rig.execution.replaces
    assert (sent.quantity.value, sent.limit_price.value) == ("12", "101")
    await asyncio.sleep(1)
    assert not rig.is_busy()
    await rig.stop()


async def test_a_replacement_is_found_out_though_the_store_is_away_for_longer_than_two_tries() -> (
    None
):
    rig = await working_order()

    def lose(request: execution_pb.ReplaceExecutionRequest) -> None:
        rig.database.faults.is_down = True
        asyncio.get_running_loop().call_later(5, recover)
        raise Away

    def recover() -> None:
        rig.database.faults.is_down = False
        confirm(rig, leaves_quantity=dec("12"))

    rig.execution.on_replace = lose
    await refusal_of(rig, await wanted(rig, quantity=dec("12")))
    await asyncio.sleep(20)
    assert (await shown(rig)).spec.quantity.value == "12"
    assert not rig.is_busy()
    await rig.stop()


async def test_risk_is_asked_about_the_order_as_it_would_become() -> None:
    rig = await working_order()
    confirm(rig)
    await rig.orders.replace_order(await wanted(rig, quantity=dec("12")))
    asked = rig.risk.validations[-1]
    assert asked.is_replace
    assert asked.validation_id == "ana-1:2"
    assert asked.prior_leaves.value == "10"
    assert asked.order.quantity.value == "12"
    assert asked.order.limit_price.value == "100"
    await rig.stop()


async def test_a_replacement_risk_refuses_leaves_the_order_and_is_not_sent() -> None:
    rig = await working_order()
    rig.risk.rejections = [risk_pb2.RISK_REASON_BUYING_POWER]
    before = await shown(rig)
    refused = await refusal_of(rig, await wanted(rig, quantity=dec("1000")))
    assert refused.code is StatusCode.FAILED_PRECONDITION
    assert refused.reason == "RISK_REJECTED"
    assert await shown(rig) == before
    assert rig.execution.replaces == []
    rig.risk.rejections = []
    confirm(rig)
    await rig.orders.replace_order(await wanted(rig, quantity=dec("11"), request_id="r2"))
    assert rig.risk.validations[-1].validation_id == "ana-1:3"
    await rig.stop()


async def test_a_replacement_of_what_was_read_before_it_changed_is_refused() -> None:
    rig = await working_order()
    request = await wanted(rig, quantity=dec("12"))
    rig.execution.happen(trade(SPEC, "x1", 4, cum=4))
    await asyncio.sleep(0.1)
    refused = await refusal_of(rig, request)
    assert (refused.code, refused.reason) == (StatusCode.ABORTED, "ETAG_STALE")
    await rig.stop()


async def test_a_replacement_below_what_has_traded_is_refused() -> None:
    rig = await working_order()
    rig.execution.happen(trade(SPEC, "x1", 4, cum=4))
    await asyncio.sleep(0.1)
    refused = await refusal_of(rig, await wanted(rig, quantity=dec("3")))
    assert refused.code is StatusCode.FAILED_PRECONDITION
    assert refused.reason == "BELOW_FILLED"
    assert len(rig.risk.validations) == 1
    await rig.stop()


async def test_what_has_ended_cannot_be_replaced() -> None:
    rig = await working_order()
    rig.execution.happen(canceled(SPEC))
    await asyncio.sleep(0.1)
    refused = await refusal_of(rig, await wanted(rig, quantity=dec("12")))
    assert refused.reason == "ORDER_ENDED"
    await rig.stop()


async def test_a_second_replacement_waits_for_the_first() -> None:
    rig = await working_order()
    first = asyncio.ensure_future(rig.orders.replace_order(await wanted(rig, quantity=dec("12"))))
    await asyncio.sleep(0.1)
    request = await wanted(rig, quantity=dec("13"), request_id="r2")
    assert (await refusal_of(rig, request)).reason == "ORDER_NOT_WORKING"
    rig.execution.happen(replaced())
    await first
    await rig.stop()


async def test_a_fill_during_a_pending_replace_carries_the_old_price_and_is_kept() -> None:
    rig = await working_order()
    request = await wanted(rig, quantity=dec("12"), limit_price=dec("105"))
    replacing = asyncio.ensure_future(rig.orders.replace_order(request))
    await asyncio.sleep(0.1)
    rig.execution.happen(trade(SPEC, "x1", 4, cum=4, price="100"))
    await asyncio.sleep(0.1)
    pending = await shown(rig)
    assert pending.status == order_pb2.ORDER_STATUS_PENDING_REPLACE
    assert pending.working_status == order_pb2.ORDER_STATUS_PARTIALLY_FILLED
    assert pending.spec.limit_price.value == "100"
    rig.execution.happen(replaced(cum_quantity=dec("4"), leaves_quantity=dec("8")))
    after = (await replacing).order
    assert after.status == order_pb2.ORDER_STATUS_PARTIALLY_FILLED
    assert after.average_price.value == "100"
    assert (after.spec.limit_price.value, after.leaves_quantity.value) == ("105", "8")
    await rig.stop()


async def test_a_replacement_to_what_has_traded_meanwhile_ends_filled() -> None:
    rig = await working_order()
    replacing = asyncio.ensure_future(
        rig.orders.replace_order(await wanted(rig, quantity=dec("4")))
    )
    await asyncio.sleep(0.1)
    rig.execution.happen(trade(SPEC, "x1", 4, cum=4), replaced(cum_quantity=dec("4")))
    assert (await replacing).order.status == order_pb2.ORDER_STATUS_FILLED
    await rig.stop()


async def test_a_replacement_the_venue_refuses_leaves_the_old_values() -> None:
    rig = await working_order()
    rig.execution.on_replace = lambda _: rig.execution.happen(report(SPEC, REFUSED, "no-1"))
    answer = await rig.orders.replace_order(await wanted(rig, limit_price=dec("101")))
    assert answer.order.status == order_pb2.ORDER_STATUS_NEW
    assert answer.order.spec.limit_price.value == "100"
    await rig.stop()


async def test_a_replacement_execution_refuses_is_over_and_its_event_says_so() -> None:
    rig = await working_order()
    below = refusal(StatusCode.FAILED_PRECONDITION, "BELOW_FILLED", "?", service="execution")
    rig.execution.replace_errors = [below]
    answer = await rig.orders.replace_order(await wanted(rig, quantity=dec("8")))
    assert answer.order.status == order_pb2.ORDER_STATUS_NEW
    await asyncio.sleep(0.1)
    assert rig.risk.told.events[-1].local_cause == OrderCause.ORDER_CAUSE_REPLACE_REFUSED
    await rig.stop()


@pytest.mark.parametrize("is_done", [True, False], ids=["it was done", "it was lost"])
async def test_an_unanswered_replacement_is_in_doubt_and_repeated_under_its_name(
    is_done: bool,
) -> None:
    rig = await working_order()
    rig.execution.replace_errors = [Away] * 3
    answer = await rig.orders.replace_order(await wanted(rig, quantity=dec("12")))
    assert answer.order.status == order_pb2.ORDER_STATUS_IN_DOUBT
    assert answer.order.doubt == order_pb2.DOUBT_REPLACE
    assert answer.order.working_status == order_pb2.ORDER_STATUS_NEW
    sent = len(rig.execution.replaces)
    if is_done:
        rig.execution.at_venue["ACC-1", "ana-1"].append(replaced(leaves_quantity=dec("12")))
    else:
        confirm(rig, leaves_quantity=dec("12"))
    await asyncio.sleep(10)
    after = await shown(rig)
    assert after.status == order_pb2.ORDER_STATUS_NEW
    assert after.spec.quantity.value == "12"
    assert len({each.request_id for each in rig.execution.replaces}) == 1
    assert (len(rig.execution.replaces) == sent) is is_done
    assert not rig.is_busy()
    await rig.stop()


async def test_a_cancel_during_a_pending_replacement_wins() -> None:
    rig = await working_order()
    replacing = asyncio.ensure_future(
        rig.orders.replace_order(await wanted(rig, quantity=dec("12")))
    )
    await asyncio.sleep(0.1)
    answer = await rig.orders.cancel_order(
        pb.CancelOrderRequest(client_order_id="ana-1", request_id="c1")
    )
    assert answer.order.status == order_pb2.ORDER_STATUS_CANCELED
    assert (await replacing).order.status == order_pb2.ORDER_STATUS_CANCELED
    await asyncio.sleep(5)
    assert not rig.is_busy()
    await rig.stop()


async def test_a_replacement_goes_on_when_the_cancel_above_it_is_refused() -> None:
    rig = await working_order()
    rig.execution.is_cancel_reported = False
    rig.execution.state_after_cancel = execution_pb.EXECUTION_STATE_WORKING
    replacing = asyncio.ensure_future(
        rig.orders.replace_order(await wanted(rig, quantity=dec("12")))
    )
    await asyncio.sleep(0.1)
    cancel = pb.CancelOrderRequest(client_order_id="ana-1", request_id="c1")
    canceling = asyncio.ensure_future(rig.orders.cancel_order(cancel))
    await asyncio.sleep(0.1)
    too_late = {"reject_reason": execution_pb2.VENUE_REASON_TOO_LATE}
    rig.execution.happen(report(SPEC, REFUSED, "late-1", **too_late))
    await asyncio.sleep(0.1)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_PENDING_REPLACE
    rig.execution.happen(replaced(leaves_quantity=dec("12")))
    await asyncio.gather(replacing, canceling)
    assert (await shown(rig)).spec.quantity.value == "12"
    await asyncio.sleep(5)
    assert not rig.is_busy()
    await rig.stop()


async def test_a_restart_takes_a_pending_replacement_up_under_its_name() -> None:
    rig = await working_order()
    replacing = asyncio.ensure_future(
        rig.orders.replace_order(await wanted(rig, quantity=dec("12")))
    )
    await asyncio.sleep(0.2)
    await rig.crash()
    await asyncio.gather(replacing, return_exceptions=True)
    confirm(rig, leaves_quantity=dec("12"))
    await rig.start()
    await asyncio.sleep(1)
    assert (await shown(rig)).spec.quantity.value == "12"
    assert len({sent.request_id for sent in rig.execution.replaces}) == 1
    await rig.stop()
