"""A replacement is committed, asked for under one name, and reported as the venue says."""

from typing import Any

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import execution_pb2

from services.execution.tests import mothers
from services.execution.tests.mothers import ANA
from services.execution.tests.rig import Rig, failure
from services.execution.tests.scripted import Fate

State = pb.ExecutionState


def replacement(**changes: Any) -> pb.ReplaceExecutionRequest:
    """Return the request to make Ana's order one for 6 at 101."""
    fields: dict[str, Any] = {
        "account": ANA,
        "client_order_id": "order-1",
        "request_id": "r-1",
        "epoch": 1,
        "quantity": Decimal(value="6"),
        "limit_price": Decimal(value="101"),
    }
    return pb.ReplaceExecutionRequest(**(fields | changes))


async def working() -> Rig:
    """Return a rig whose order is at the venue."""
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    return rig


async def test_a_replacement_changes_the_child_and_is_reported() -> None:
    rig = await working()
    answer = await rig.execution.replace_execution(replacement())
    assert answer.state == State.EXECUTION_STATE_WORKING
    await rig.rest()
    (report,) = (await rig.reports())[-1:]
    assert report.exec_type == execution_pb2.EXEC_TYPE_REPLACED
    state = await rig.state()
    assert (state.working.value, state.unscheduled.value) == ("6", "0")
    assert state.children[0].quantity.value == "6"


async def test_the_query_after_a_replacement_shows_the_new_values() -> None:
    rig = await working()
    await rig.execution.replace_execution(replacement())
    found = (await rig.query()).order
    assert (found.quantity.value, found.limit_price.value) == ("6", "101")


async def test_a_repeated_replacement_gets_the_first_answer_and_asks_once() -> None:
    rig = await working()
    first = await rig.execution.replace_execution(replacement())
    assert await rig.execution.replace_execution(replacement(epoch=2)) == first
    assert rig.venue.replaces == ["r-1"]
    other = replacement(quantity=Decimal(value="7"))
    error = await failure(rig.execution.replace_execution(other))
    assert error.code is StatusCode.ALREADY_EXISTS


async def test_a_replacement_is_committed_before_the_venue_is_asked() -> None:
    rig = await working()
    rig.venue.go_out()
    error = await failure(rig.execution.replace_execution(replacement()))
    assert (error.definite, error.reason) == (False, "IN_DOUBT")
    (kept,) = await rig.rows("replacements")
    assert (kept.request_id, kept.quantity, kept.limit_price) == ("r-1", "6", "101")


async def test_a_replacement_without_answer_is_repeated_under_the_same_name() -> None:
    rig = await working()
    rig.venue.fate = Fate.ANSWER_LOST
    assert not (await failure(rig.execution.replace_execution(replacement()))).definite
    rig.venue.fate = Fate.ANSWERED
    await rig.execution.replace_execution(replacement())
    assert rig.venue.replaces == ["r-1"]


async def test_a_replacement_that_came_too_late_is_reported_as_refused() -> None:
    rig = await working()
    rig.venue.is_replace_too_late = True
    await rig.execution.replace_execution(replacement())
    await rig.rest()
    assert (await rig.reports())[-1].exec_type == execution_pb2.EXEC_TYPE_CANCEL_REJECTED
    assert (await rig.state()).working.value == "10"


async def test_a_quantity_below_what_has_traded_is_refused() -> None:
    rig = await working()
    rig.venue.fill("order-1", "7")
    await rig.rest()
    error = await failure(rig.execution.replace_execution(replacement()))
    assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "BELOW_FILLED")
    assert rig.venue.replaces == []


async def test_a_quantity_that_has_just_traded_ends_the_order() -> None:
    rig = await working()
    rig.venue.fill("order-1", "6")
    await rig.rest()
    answer = await rig.execution.replace_execution(replacement())
    assert answer.state == State.EXECUTION_STATE_FILLED
    await rig.rest()
    state = await rig.state()
    assert (state.state, state.unscheduled.value) == (State.EXECUTION_STATE_FILLED, "0")


async def test_replacing_what_has_ended_changes_nothing() -> None:
    rig = await working()
    rig.venue.fill("order-1", "10")
    await rig.rest()
    answer = await rig.execution.replace_execution(replacement(quantity=Decimal(value="12")))
    assert answer.state == State.EXECUTION_STATE_FILLED
    assert rig.venue.replaces == []


async def test_a_replacement_of_an_order_in_doubt_must_wait() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.REQUEST_LOST
    await failure(rig.send(mothers.order()))
    error = await failure(rig.execution.replace_execution(replacement()))
    assert error.reason == "CHILD_IN_DOUBT"


async def test_a_replacement_of_what_was_never_started_is_not_found() -> None:
    rig = await Rig.started()
    error = await failure(rig.execution.replace_execution(replacement()))
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "EXECUTION_UNKNOWN")


async def test_a_replacement_of_an_older_writer_is_refused() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order(), epoch=5)
    error = await failure(rig.execution.replace_execution(replacement(epoch=4)))
    assert error.code is StatusCode.ABORTED
    assert rig.venue.replaces == []
