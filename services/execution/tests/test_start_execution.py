"""Orders leave once, approved, and what became of them is known or in doubt, never guessed."""

import asyncio
from collections.abc import Callable

import pytest
from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import order_pb2, risk_pb2
from trading.types.v1.order_pb2 import AlgorithmSpec

from services.execution.tests import mothers
from services.execution.tests.mothers import LIFETIME_NS
from services.execution.tests.rig import Rig, failure

State = pb.ExecutionState
WORKING = State.EXECUTION_STATE_WORKING
Spoil = Callable[[pb.StartExecutionRequest], None]


async def test_an_approved_order_is_at_the_venue_under_its_own_id() -> None:
    rig = await Rig.started()
    answer = await rig.send(mothers.order())
    assert answer.state == WORKING
    assert answer.first_report.venue_order_id == "V1"
    (sent,) = rig.venue.places
    assert sent.order.client_order_id == "order-1"
    assert (sent.order.quantity.value, sent.order.limit_price.value) == ("10", "100")


async def test_parent_child_and_dispatch_are_committed_before_the_order_leaves() -> None:
    rig = await Rig.started()
    names = ("executions_parents", "children", "dispatches")
    seen: list[asyncio.Task[list[list[object]]]] = []

    async def look() -> list[list[object]]:
        return [await rig.rows(name) for name in names]

    rig.venue.on_place = lambda: seen.append(asyncio.ensure_future(look()))
    await rig.send(mothers.order())
    assert [len(rows) for rows in await seen[0]] == [1, 1, 1]


async def test_a_dispatch_is_closed_with_its_outcome() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    (dispatch,) = await rig.rows("dispatches")
    assert (dispatch.attempt, dispatch.outcome) == (1, "NEW")
    assert dispatch.closed_ns is not None


def _no_token(request: pb.StartExecutionRequest) -> None:
    request.decision.token = b""


def _other_order(request: pb.StartExecutionRequest) -> None:
    request.order.quantity.value = "11"


def _forged_digest(request: pb.StartExecutionRequest) -> None:
    _other_order(request)
    request.decision.order_digest = mothers.approval(request.order, 0).order_digest


def _denied(request: pb.StartExecutionRequest) -> None:
    request.decision.verdict = risk_pb2.RISK_VERDICT_REJECTED


def _longer_life(request: pb.StartExecutionRequest) -> None:
    request.decision.expires_at.seconds += 3600


@pytest.mark.parametrize(
    "spoil",
    [_no_token, _other_order, _forged_digest, _denied, _longer_life],
    ids=["no token", "another order", "forged digest", "denied", "longer life"],
)
async def test_an_order_without_approval_is_refused(spoil: Spoil) -> None:
    rig = await Rig.started()
    request = mothers.start(mothers.order(), rig.clock.now_ns())
    spoil(request)
    error = await failure(rig.execution.start_execution(request))
    assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "NOT_APPROVED")
    assert rig.venue.places == []
    assert await rig.rows("executions_parents") == []


async def test_an_approval_that_has_expired_is_refused() -> None:
    rig = await Rig.started()
    request = mothers.start(mothers.order(), rig.clock.now_ns() - LIFETIME_NS)
    error = await failure(rig.execution.start_execution(request))
    assert error.reason == "NOT_APPROVED"


async def test_an_approval_by_another_key_is_refused() -> None:
    rig = await Rig.started()
    request = mothers.start(mothers.order(), rig.clock.now_ns())
    forged = mothers.approval(request.order, rig.clock.now_ns(), key=b"another key")
    request.decision.CopyFrom(forged)
    error = await failure(rig.execution.start_execution(request))
    assert error.reason == "NOT_APPROVED"


async def test_direct_may_be_named() -> None:
    rig = await Rig.started()
    direct = AlgorithmSpec(kind=order_pb2.ALGORITHM_KIND_DIRECT)
    assert (await rig.send(mothers.order(algorithm=direct))).state == WORKING


async def test_an_older_writer_of_orders_is_refused_also_after_a_restart() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order(), epoch=7)
    error = await failure(rig.send(mothers.order("order-2"), epoch=6))
    assert (error.code, error.reason) == (StatusCode.ABORTED, "EPOCH_SUPERSEDED")
    await rig.crash()
    await rig.start()
    error = await failure(rig.send(mothers.order("order-2"), epoch=6))
    assert error.code is StatusCode.ABORTED
    await rig.send(mothers.order("order-2"), epoch=8)
    assert len(rig.venue.places) == 2


async def test_an_order_of_another_venue_is_refused() -> None:
    rig = await Rig.started()
    error = await failure(rig.send(mothers.order(instrument="ALPHA.XNYS")))
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "VENUE_UNKNOWN")


async def test_a_repeat_sends_nothing_and_answers_where_the_execution_stands() -> None:
    rig = await Rig.started()
    first = await rig.send(mothers.order())
    assert await rig.send(mothers.order()) == first
    await rig.rest()
    rig.venue.fill("order-1", "10")
    await rig.rest()
    later = await rig.send(mothers.order(), decision_id="decision-2")
    assert later.state == State.EXECUTION_STATE_FILLED
    assert later.first_report == first.first_report
    assert len(rig.venue.places) == 1


async def test_repeats_that_come_together_send_one_order() -> None:
    rig = await Rig.started()
    answers = await asyncio.gather(*(rig.send(mothers.order()) for _ in range(5)))
    assert len(rig.venue.places) == 1
    assert all(answer == answers[0] for answer in answers)


async def test_an_id_with_another_order_is_refused() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    other = mothers.order(side=order_pb2.SIDE_SELL)
    error = await failure(rig.send(other))
    assert (error.code, error.reason) == (StatusCode.ALREADY_EXISTS, "ORDER_DIFFERS")
    await rig.rest()
    assert (await failure(rig.send(other))).reason == "ORDER_DIFFERS"


async def test_an_execution_nobody_started_is_not_found() -> None:
    rig = await Rig.started()
    error = await failure(rig.state("nothing"))
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "EXECUTION_UNKNOWN")


async def test_the_venue_is_listed_with_what_it_can_do() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    (venue,) = (await rig.service.list_venues(pb.ListVenuesRequest())).venues
    assert (venue.venue, venue.is_healthy, venue.is_deduplicating) == ("XSIM", True, True)
    assert venue.session_id == "execution-1"
