"""An order in doubt is asked about until it is known, and only then sent again."""

import asyncio

import pytest
from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as execution_pb
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import execution_pb2, order_pb2, risk_pb2

from runtime.errors import ServiceError
from services.orders.tests.mothers import limit_order, report, trade
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import (
    ScriptedExecution,
    acknowledge,
    lose_answer,
    lose_request,
)

SPEC = limit_order()
SUBMIT = pb.SubmitOrderRequest(order=SPEC)


async def shown(rig: Rig) -> order_pb2.Order:
    return (await rig.orders.get_order(pb.GetOrderRequest(client_order_id="ana-1"))).order


async def test_an_order_in_doubt_is_queried_before_it_is_sent_again() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_request]
    await rig.orders.submit_order(SUBMIT)
    await asyncio.sleep(10)
    assert rig.execution.log[0] == rig.execution.log[-1] == "start ana-1"
    assert set(rig.execution.log[1:-1]) == {"query ana-1"}
    first, second = rig.execution.starts
    assert first.order == second.order
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_NEW
    assert not rig.is_busy()
    await rig.stop()


async def test_a_resend_is_validated_anew_and_carries_the_new_approval() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_request]
    await rig.orders.submit_order(SUBMIT)
    await asyncio.sleep(10)
    assert [v.validation_id for v in rig.risk.validations] == ["ana-1:1", "ana-1:2"]
    decisions = [start.decision.decision_id for start in rig.execution.starts]
    assert decisions == ["d-ana-1:1", "d-ana-1:2"]
    await rig.stop()


async def test_not_found_is_not_trusted_before_the_call_is_past_its_deadline() -> None:
    """Execution refuses calls older than a second, so from then on its answer is definite."""
    rig = await Rig.started()
    rig.execution.scripts = [lose_request]
    await rig.orders.submit_order(SUBMIT)
    await asyncio.sleep(0.9)
    assert len(rig.execution.queries) >= 2
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_not_found_that_is_not_certain_never_sends_again() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_request]
    rig.execution.is_absence_certain = False
    await rig.orders.submit_order(SUBMIT)
    await asyncio.sleep(60)
    assert len(rig.execution.starts) == 1
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_IN_DOUBT
    assert rig.is_busy()
    await rig.stop()


async def test_a_lost_answer_is_found_by_the_query_and_nothing_is_sent_again() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_answer]
    answer = await rig.orders.submit_order(SUBMIT)
    assert answer.order.status == order_pb2.ORDER_STATUS_IN_DOUBT
    await asyncio.sleep(1)
    order = await shown(rig)
    assert order.status == order_pb2.ORDER_STATUS_NEW
    assert not order.HasField("doubt_since")
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_executions_that_were_missed_are_booked_before_the_state_is_taken_over() -> None:
    rig = await Rig.started()

    async def fill_and_lose(
        execution: ScriptedExecution, request: execution_pb.StartExecutionRequest
    ) -> execution_pb.StartExecutionResponse:
        new = report(request.order, execution_pb2.EXEC_TYPE_NEW, "n1")
        traded = trade(request.order, "x1", 10, cum=10)
        execution.at_venue["ACC-1", "ana-1"] = [new, traded]
        return await lose_request(execution, request)  # type: ignore[no-any-return]

    rig.execution.scripts = [fill_and_lose]
    await rig.orders.submit_order(SUBMIT)
    await asyncio.sleep(1)
    order = await shown(rig)
    assert (order.status, order.cum_quantity.value) == (order_pb2.ORDER_STATUS_FILLED, "10")
    await rig.stop()


async def test_a_report_ends_the_doubt_without_a_query() -> None:
    rig = await Rig.started()
    rig.execution.is_deaf = True
    rig.execution.scripts = [lose_request]
    await rig.orders.submit_order(SUBMIT)
    rig.execution.happen(report(SPEC, execution_pb2.EXEC_TYPE_NEW, "n1"))
    await asyncio.sleep(10)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_NEW
    assert not rig.is_busy()
    await rig.stop()


async def test_an_order_is_resent_once_and_then_closed_as_not_accepted() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_request, lose_request]
    await rig.orders.submit_order(SUBMIT)
    await asyncio.sleep(30)
    order = await shown(rig)
    assert order.status == order_pb2.ORDER_STATUS_REJECTED
    assert list(order.reject.codes) == ["NOT_ACCEPTED"]
    assert len(rig.execution.starts) == 2
    assert not rig.is_busy()
    await rig.stop()


async def test_an_order_risk_no_longer_wants_is_closed_instead_of_resent() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_request]
    await rig.orders.submit_order(SUBMIT)
    rig.risk.rejections = [risk_pb2.RISK_REASON_MODE_BLOCKED]
    await asyncio.sleep(10)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_REJECTED
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_a_resend_without_a_valid_approval_waits_for_risk() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_request]
    await rig.orders.submit_order(SUBMIT)
    rig.risk.is_away = True
    await asyncio.sleep(20)
    assert len(rig.execution.starts) == 1
    rig.risk.is_away = False
    rig.risk.lives_ns = [0]
    await asyncio.sleep(10)
    assert rig.execution.starts[-1].decision.decision_id == "d-ana-1:3"
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_NEW
    await rig.stop()


async def test_a_cancel_in_doubt_is_remembered_and_sent_once_the_order_works() -> None:
    rig = await Rig.started()
    rig.execution.is_deaf = True
    rig.execution.scripts = [lose_answer]
    await rig.orders.submit_order(SUBMIT)
    cancel = pb.CancelOrderRequest(client_order_id="ana-1", request_id="c1")
    answer = await rig.orders.cancel_order(cancel)
    assert answer.order.status == order_pb2.ORDER_STATUS_IN_DOUBT
    assert answer.order.is_cancel_wanted
    assert rig.execution.cancels == []
    rig.execution.is_deaf = False
    await asyncio.sleep(6)
    assert len(rig.execution.cancels) == 1
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_CANCELED
    assert not rig.is_busy()
    await rig.stop()


async def test_a_cancel_of_an_order_that_never_arrived_ends_it_canceled() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_request]
    await rig.orders.submit_order(SUBMIT)
    await rig.orders.cancel_order(pb.CancelOrderRequest(client_order_id="ana-1", request_id="c1"))
    await asyncio.sleep(10)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_CANCELED
    assert len(rig.execution.starts) == 1
    await rig.stop()


def resolution(**changes: object) -> pb.ResolveOrderRequest:
    values = {
        "client_order_id": "ana-1",
        "etag": 4,
        "outcome": order_pb2.ORDER_STATUS_REJECTED,
        "evidence": "the venue wrote so",
        "request_id": "r1",
    }
    return pb.ResolveOrderRequest(**(values | changes))  # type: ignore[arg-type]


async def test_an_operator_resolves_a_doubt_with_evidence() -> None:
    rig = await Rig.started()
    rig.execution.is_deaf = True
    rig.execution.scripts = [lose_request]
    etag = (await rig.orders.submit_order(SUBMIT)).order.version
    answer = await rig.as_rita.resolve_order(resolution(etag=etag))
    assert answer.order.status == order_pb2.ORDER_STATUS_REJECTED
    assert answer.order.reject.text == "the venue wrote so"
    assert await rig.as_rita.resolve_order(resolution(etag=etag)) == answer
    await asyncio.sleep(10)
    assert not rig.is_busy()
    await rig.stop()


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"etag": 1}, StatusCode.ABORTED, "ETAG_STALE"),
        ({"outcome": 3}, StatusCode.FAILED_PRECONDITION, "OUTCOME_INCONSISTENT"),
        ({"client_order_id": "nobody"}, StatusCode.NOT_FOUND, "ORDER_UNKNOWN"),
    ],
)
async def test_a_resolution_that_does_not_fit_is_refused(
    changes: dict[str, object], code: StatusCode, reason: str
) -> None:
    rig = await Rig.started()
    rig.execution.is_deaf = True
    rig.execution.scripts = [lose_request]
    etag = (await rig.orders.submit_order(SUBMIT)).order.version
    with pytest.raises(ServiceError) as refused:
        await rig.as_rita.resolve_order(resolution(**({"etag": etag} | changes)))
    assert (refused.value.code, refused.value.reason) == (code, reason)
    await rig.stop()


async def test_what_is_known_cannot_be_resolved() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [acknowledge]
    etag = (await rig.orders.submit_order(SUBMIT)).order.version
    with pytest.raises(ServiceError) as refused:
        await rig.as_rita.resolve_order(resolution(etag=etag))
    assert refused.value.reason == "NOT_IN_DOUBT"
    await rig.stop()


async def test_a_doubt_of_five_seconds_is_an_alarm_that_others_see_once() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_answer]
    rig.execution.is_deaf = True
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=limit_order()))
    await asyncio.sleep(3)
    assert await rig.alarms() == []
    await asyncio.sleep(60)
    (alarm,) = await rig.alarms()
    assert alarm.severity == risk_pb2.SEVERITY_CRITICAL
    assert alarm.code == risk_pb2.RISK_REASON_IN_DOUBT_BLOCK
    assert alarm.scope == "account:ACC-1"
    assert alarm.header.source == "orders:alarms"
    await rig.stop()
