"""A cancel is committed, sent under one name, and followed by no further child."""

import asyncio

import pytest
from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as pb

from runtime.errors import ServiceError
from services.execution.tests import mothers
from services.execution.tests.mothers import ANA
from services.execution.tests.rig import Rig
from services.execution.tests.scripted import Fate

State = pb.ExecutionState


def cancel(request_id: str = "c-1", *, epoch: int = 1) -> pb.CancelExecutionRequest:
    return pb.CancelExecutionRequest(
        account=ANA, client_order_id="order-1", request_id=request_id, epoch=epoch
    )


async def refused(rig: Rig, request: pb.CancelExecutionRequest) -> ServiceError:
    """Return the error that a cancel ends with."""
    with pytest.raises(ServiceError) as raised:
        await rig.execution.cancel_execution(request)
    return raised.value


async def working() -> Rig:
    """Return a rig whose order is at the venue."""
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    return rig


async def test_a_cancel_ends_the_child_at_the_venue() -> None:
    rig = await working()
    answer = await rig.execution.cancel_execution(cancel())
    assert answer.state == State.EXECUTION_STATE_CANCELED
    await rig.rest()
    state = await rig.state()
    assert (state.state, state.working.value) == (State.EXECUTION_STATE_CANCELED, "0")


async def test_a_repeated_cancel_gets_the_first_answer_and_asks_once() -> None:
    rig = await working()
    first = await rig.execution.cancel_execution(cancel())
    assert await rig.execution.cancel_execution(cancel(epoch=2)) == first
    assert rig.venue.cancels == ["c-1"]


async def test_the_wish_is_committed_before_the_venue_is_asked() -> None:
    rig = await working()
    rig.venue.go_out()
    error = await refused(rig, cancel())
    assert (error.definite, error.reason) == (False, "IN_DOUBT")
    (parent,) = await rig.rows("executions_parents")
    assert parent.is_cancel_wanted


async def test_a_cancel_without_answer_is_repeated_under_the_same_name() -> None:
    rig = await working()
    rig.venue.fate = Fate.ANSWER_LOST
    assert not (await refused(rig, cancel())).definite
    rig.venue.fate = Fate.ANSWERED
    answer = await rig.execution.cancel_execution(cancel())
    assert answer.state == State.EXECUTION_STATE_CANCELED
    assert rig.venue.cancels == ["c-1"]


async def test_canceling_what_has_ended_changes_nothing() -> None:
    rig = await working()
    rig.venue.fill("order-1", "10")
    await rig.rest()
    answer = await rig.execution.cancel_execution(cancel())
    assert answer.state == State.EXECUTION_STATE_FILLED
    assert rig.venue.cancels == []


async def test_a_cancel_of_an_order_in_doubt_must_wait() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.REQUEST_LOST
    with pytest.raises(ServiceError):
        await rig.send(mothers.order())
    assert (await refused(rig, cancel())).reason == "CHILD_IN_DOUBT"


async def test_a_canceled_parent_sends_no_further_child() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.REQUEST_LOST
    with pytest.raises(ServiceError):
        await rig.send(mothers.order())
    await asyncio.sleep(4)
    answer = await rig.execution.cancel_execution(cancel())
    assert answer.state == State.EXECUTION_STATE_NOT_ACCEPTED
    rig.venue.fate = Fate.ANSWERED
    later = await rig.send(mothers.order(), decision_id="decision-2")
    assert later.state == State.EXECUTION_STATE_NOT_ACCEPTED
    assert rig.venue.places == []


async def test_a_cancel_of_what_was_never_started_is_not_found() -> None:
    rig = await Rig.started()
    error = await refused(rig, cancel())
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "EXECUTION_UNKNOWN")


async def test_a_cancel_of_an_older_writer_is_refused() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order(), epoch=5)
    assert (await refused(rig, cancel(epoch=4))).code is StatusCode.ABORTED
    assert rig.venue.cancels == []
