"""From a person's order to its answer."""

import asyncio
from typing import Any

import pytest
from grpc import StatusCode
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import event_pb2, order_pb2, risk_pb2
from trading.types.v1.event_pb2 import OrderCause

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.orders.tests.mothers import dec, limit_order, trade
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import (
    ScriptedExecution,
    acknowledge,
    hang,
    lose_request,
    refuse,
)


def submit(spec: order_pb2.OrderSpec | None = None) -> pb.SubmitOrderRequest:
    return pb.SubmitOrderRequest(order=spec or limit_order())


async def test_an_approved_order_is_sent_and_answered_as_acknowledged() -> None:
    rig = await Rig.started()
    answer = await rig.orders.submit_order(submit())
    assert answer.order.status == order_pb2.ORDER_STATUS_NEW
    assert answer.order.stage == order_pb2.ORDER_STAGE_ACKNOWLEDGED
    assert answer.order.venue_order_id == "V-ana-1"
    assert answer.decision.decision_id == answer.order.decision_id == "d-ana-1:1"
    (start,) = rig.execution.starts
    assert start.order == limit_order()
    assert start.decision == answer.decision
    assert start.epoch == 1
    await rig.stop()


async def test_the_intent_is_committed_before_risk_is_asked_and_the_dispatch_before_the_send() -> (
    None
):
    rig = await Rig.started()
    await rig.orders.submit_order(submit())
    await asyncio.sleep(1)
    causes = [e.local_cause for e in rig.portfolio.told.events if not e.HasField("execution")]
    assert causes == [
        OrderCause.ORDER_CAUSE_SUBMITTED,
        OrderCause.ORDER_CAUSE_DISPATCHED,  # Approved in the same step: nobody saw it in between.
    ]
    assert [e.header.sequence for e in rig.portfolio.told.events] == [1, 2, 3]
    assert not rig.is_busy()
    await rig.stop()


async def test_an_order_repeated_after_a_lost_answer_is_placed_once() -> None:
    rig = await Rig.started()
    first = await rig.orders.submit_order(submit())
    again = await rig.orders.submit_order(submit())
    assert again == first
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_the_answer_is_kept_in_the_commit_of_the_acknowledgement() -> None:
    rig = await Rig.started()
    commits: list[int] = []
    rig.database.on_commit(lambda: commits.append(0))
    first = await rig.service.submit_order(submit())
    assert len(commits) == 3  # The intent; approval and dispatch; acknowledgement and answer.
    await rig.crash()
    await rig.start()
    again = await rig.service.submit_order(submit())
    assert again == first
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_repeats_that_arrive_together_share_one_order_and_one_answer() -> None:
    rig = await Rig.started()
    rig.risk.delay_s = 0.05
    answers = await asyncio.gather(*(rig.orders.submit_order(submit()) for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert (len(rig.execution.starts), len(rig.risk.validations)) == (1, 1)
    await rig.stop()


async def test_an_id_reused_for_another_order_is_refused() -> None:
    rig = await Rig.started()
    await rig.orders.submit_order(submit())
    with pytest.raises(ServiceError) as refused:
        await rig.orders.submit_order(submit(limit_order(quantity=dec("11"))))
    assert refused.value.code is StatusCode.ALREADY_EXISTS
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_an_id_reused_for_another_order_is_refused_after_a_crash_before_the_answer() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [hang]
    task = asyncio.ensure_future(rig.orders.submit_order(submit()))
    await asyncio.sleep(0.5)
    task.cancel()
    await rig.crash()
    await rig.start()
    with pytest.raises(ServiceError) as refused:
        await rig.orders.submit_order(submit(limit_order(quantity=dec("11"))))
    assert refused.value.code is StatusCode.ALREADY_EXISTS
    await rig.stop()


async def test_a_caller_that_leaves_does_not_cancel_the_order() -> None:
    rig = await Rig.started()
    rig.risk.delay_s = 0.1
    task = asyncio.ensure_future(rig.orders.submit_order(submit()))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.sleep(0.2)
    assert len(rig.execution.starts) == 1
    answer = await rig.orders.submit_order(submit())
    assert answer.order.status == order_pb2.ORDER_STATUS_NEW
    await rig.stop()


async def test_a_denial_by_risk_is_an_answer_with_its_codes() -> None:
    rig = await Rig.started()
    rig.risk.rejections = [risk_pb2.RISK_REASON_PRICE_OFF_TICK, risk_pb2.RISK_REASON_OPEN_ORDERS]
    answer = await rig.orders.submit_order(submit())
    assert answer.order.status == order_pb2.ORDER_STATUS_REJECTED
    assert answer.order.reject.source == order_pb2.REJECT_SOURCE_RISK
    assert list(answer.order.reject.codes) == ["PRICE_OFF_TICK", "OPEN_ORDERS"]
    assert rig.execution.starts == []
    await rig.stop()


async def test_without_risk_no_order_leaves_and_it_is_rejected_at_its_deadline() -> None:
    rig = await Rig.started()
    rig.risk.is_away = True
    answer = await rig.orders.submit_order(submit())
    assert answer.order.status == order_pb2.ORDER_STATUS_REJECTED
    assert list(answer.order.reject.codes) == ["RISK_UNAVAILABLE"]
    assert len({v.validation_id for v in rig.risk.validations}) == 1
    assert len(rig.risk.validations) > 1
    assert rig.execution.starts == []
    await rig.stop()


async def test_a_definite_refusal_by_execution_rejects_the_order() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [refuse]
    answer = await rig.orders.submit_order(submit())
    assert answer.order.status == order_pb2.ORDER_STATUS_REJECTED
    assert answer.order.reject.source == order_pb2.REJECT_SOURCE_ROUTER
    assert list(answer.order.reject.codes) == ["VENUE_UNHEALTHY"]
    await rig.stop()


@pytest.mark.parametrize("script", [lose_request, hang])
async def test_an_unanswered_order_is_in_doubt_not_rejected(script: object) -> None:
    rig = await Rig.started()
    rig.execution.scripts = [script]  # type: ignore[list-item]
    rig.execution.is_deaf = True
    answer = await rig.orders.submit_order(submit())
    assert answer.order.status == order_pb2.ORDER_STATUS_IN_DOUBT
    assert answer.order.doubt == order_pb2.DOUBT_NEW
    assert answer.order.HasField("doubt_since")
    await rig.stop()


async def test_the_answer_that_was_given_stays_when_the_acknowledgement_is_kept_later() -> None:
    """The store is slow: the caller's time ends between the venue's answer and its commit."""
    rig = await Rig.started()

    async def slow(execution: ScriptedExecution, request: Any) -> Any:
        rig.database.faults.delay_s = 1.0
        return await acknowledge(execution, request)

    rig.execution.scripts = [slow]
    with pytest.raises(ServiceError) as late:
        await rig.orders.submit_order(submit(), Call(timeout_s=0.5))
    assert late.value.code is StatusCode.DEADLINE_EXCEEDED
    await asyncio.sleep(10)
    rig.database.faults.delay_s = 0.0
    first = await rig.orders.submit_order(submit())
    assert first.order.status == order_pb2.ORDER_STATUS_PENDING_NEW
    now = await rig.orders.get_order(pb.GetOrderRequest(order_id=first.order.order_id))
    assert now.order.status == order_pb2.ORDER_STATUS_NEW
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_an_answer_comes_within_the_callers_deadline() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [hang]
    rig.execution.is_deaf = True
    started_s = asyncio.get_running_loop().time()
    answer = await rig.orders.submit_order(submit(), Call(timeout_s=0.5))
    assert answer.order.status == order_pb2.ORDER_STATUS_IN_DOUBT
    assert asyncio.get_running_loop().time() - started_s < 0.5
    await rig.stop()


async def test_an_approval_that_expires_before_the_send_is_asked_for_again() -> None:
    rig = await Rig.started()
    rig.risk.lives_ns = [0]
    answer = await rig.orders.submit_order(submit())
    assert answer.order.status == order_pb2.ORDER_STATUS_NEW
    assert [v.validation_id for v in rig.risk.validations] == ["ana-1:1", "ana-1:2"]
    assert rig.execution.starts[0].decision.decision_id == "d-ana-1:2"
    await asyncio.sleep(1)
    causes = [e.local_cause for e in rig.portfolio.told.events if not e.HasField("execution")]
    assert causes == [
        OrderCause.ORDER_CAUSE_SUBMITTED,
        OrderCause.ORDER_CAUSE_RISK_APPROVED,  # A step of its own: nothing was sent in it.
        OrderCause.ORDER_CAUSE_APPROVAL_EXPIRED,
        OrderCause.ORDER_CAUSE_DISPATCHED,
    ]
    await rig.stop()


async def test_an_order_whose_approvals_never_last_is_rejected_and_not_sent() -> None:
    rig = await Rig.started()
    rig.risk.lives_ns = [0] * 1_000
    answer = await rig.orders.submit_order(submit())
    assert answer.order.status == order_pb2.ORDER_STATUS_REJECTED
    assert list(answer.order.reject.codes) == ["APPROVAL_EXPIRED"]
    assert rig.execution.starts == []
    await rig.stop()


async def test_only_asking_risk_stores_and_sends_nothing() -> None:
    rig = await Rig.started()
    answer = await rig.orders.submit_order(
        pb.SubmitOrderRequest(order=limit_order(), validate_only=True)
    )
    assert not answer.HasField("order")
    assert answer.decision.verdict == risk_pb2.RISK_VERDICT_APPROVED
    assert rig.risk.validations[0].validate_only
    assert rig.execution.starts == []
    listed = await rig.orders.list_orders(pb.ListOrdersRequest())
    assert list(listed.orders) == []
    await rig.stop()


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(limit_order("ana-1/sl"), id="reserved-suffix"),
        pytest.param(limit_order(limit_price=None), id="limit-without-price"),
        pytest.param(
            limit_order(time_in_force=order_pb2.TIME_IN_FORCE_GTD), id="dated-without-date"
        ),
        pytest.param(limit_order(quantity=dec("1e3")), id="exponent"),
    ],
)
async def test_malformed_orders_are_refused_before_any_effect(spec: order_pb2.OrderSpec) -> None:
    rig = await Rig.started()
    with pytest.raises(ServiceError) as refused:
        await rig.orders.submit_order(submit(spec))
    assert refused.value.code is StatusCode.INVALID_ARGUMENT
    assert rig.risk.validations == []
    await rig.stop()


async def test_more_than_256_orders_in_flight_are_refused() -> None:
    rig = await Rig.started()
    rig.risk.delay_s = 0.2
    service = rig.service  # Not through a client: that would repeat the refused one.
    calls = [service.submit_order(submit(limit_order(f"o-{n}"))) for n in range(257)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    (refused,) = [a for a in answers if isinstance(a, ServiceError)]
    assert refused.code is StatusCode.RESOURCE_EXHAUSTED
    assert refused.reason == "TOO_MANY_IN_FLIGHT"
    assert len(rig.execution.starts) == 256
    await rig.stop()


async def test_a_fill_is_shown_with_average_price_and_fees() -> None:
    rig = await Rig.started()
    spec = limit_order()
    await rig.orders.submit_order(submit(spec))
    rig.execution.happen(trade(spec, "x1", 4, cum=4, price="99.5"), trade(spec, "x2", 6, cum=10))
    await asyncio.sleep(1)
    found = await rig.orders.get_order(pb.GetOrderRequest(client_order_id="ana-1"))
    assert found.order.status == order_pb2.ORDER_STATUS_FILLED
    assert found.order.cum_quantity.value == "10"
    assert found.order.leaves_quantity.value == "0"
    assert found.order.average_price.value == "99.8"
    assert found.order.fees.amount.value == "1"
    events: list[event_pb2.OrderEvent] = rig.risk.told.events
    assert [e.execution.exec_id for e in events if e.HasField("execution")][-2:] == ["x1", "x2"]
    assert not rig.is_busy()
    await rig.stop()
