"""What becomes of an order whose sending had no answer: known, or in doubt, never guessed."""

import asyncio

from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as pb

from runtime.rpc import Call
from services.execution.tests import mothers
from services.execution.tests.rig import Rig, failure
from services.execution.tests.scripted import Fate

State = pb.ExecutionState
WORKING = State.EXECUTION_STATE_WORKING


async def test_a_venue_that_refuses_for_certain_ends_the_execution() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.REFUSED
    for _ in range(2):
        error = await failure(rig.send(mothers.order()))
        assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "VENUE_REFUSED")
    assert (await rig.state()).state == State.EXECUTION_STATE_REJECTED
    (dispatch,) = await rig.rows("dispatches")
    assert dispatch.outcome == "REFUSED"


async def test_an_unanswered_child_is_in_doubt_and_counts_as_open() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.REQUEST_LOST
    error = await failure(rig.send(mothers.order()))
    assert (error.definite, error.reason) == (False, "IN_DOUBT")
    state = await rig.state()
    assert state.state == State.EXECUTION_STATE_IN_DOUBT
    assert (state.doubtful.value, state.working.value, state.unscheduled.value) == ("10", "0", "0")
    assert (await failure(rig.send(mothers.order()))).reason == "IN_DOUBT"


async def test_a_report_ends_the_doubt_of_a_lost_answer() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.ANSWER_LOST
    rig.venue.is_silent = True
    rig.venue.is_out = False
    assert (await failure(rig.send(mothers.order()))).reason == "IN_DOUBT"
    rig.venue.speak()
    await rig.rest()
    assert (await rig.state()).state == WORKING
    assert len(rig.venue.places) == 1


async def test_a_report_that_overtakes_a_lost_answer_leaves_no_doubt() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.ANSWER_LOST
    answer = await rig.send(mothers.order())
    assert answer.state == WORKING
    assert answer.HasField("first_report")


async def test_a_query_ends_the_doubt_when_reports_do_not_come() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.ANSWER_LOST
    rig.venue.is_silent = True
    await failure(rig.send(mothers.order()))
    found = await rig.query()
    assert (found.found, found.order.venue_order_id) == (True, "V1")
    assert [report.exec_id for report in found.executions] == ["E1"]
    assert (await rig.state()).state == WORKING


async def test_execution_asks_by_itself_until_the_doubt_has_ended() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.ANSWER_LOST
    rig.venue.is_silent = True
    await failure(rig.send(mothers.order()))
    await asyncio.sleep(0.5)
    assert (await rig.state()).state == WORKING


async def test_an_order_in_doubt_is_sent_again_only_when_its_absence_is_certain() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.REQUEST_LOST
    await failure(rig.send(mothers.order()))
    rig.venue.fate = Fate.ANSWERED
    early = await rig.query()
    assert not early.found
    assert not early.is_absence_certain
    again = mothers.order()
    assert (await failure(rig.send(again, decision_id="decision-2"))).reason == "IN_DOUBT"
    assert rig.venue.places == []
    await asyncio.sleep(4)
    late = await rig.query()
    assert late.is_absence_certain
    assert (await rig.state()).state == State.EXECUTION_STATE_NOT_ACCEPTED
    old = await rig.send(again)  # The approval that was used already sends nothing.
    assert old.state == State.EXECUTION_STATE_NOT_ACCEPTED
    assert rig.venue.places == []
    answer = await rig.send(again, decision_id="decision-2")
    assert answer.state == WORKING
    (sent,) = rig.venue.places
    assert sent.order.client_order_id == "order-1"
    await rig.rest()
    dispatches = [(row.attempt, row.outcome) for row in await rig.rows("dispatches")]
    assert dispatches == [(1, "NOT_ACCEPTED"), (2, "NEW")]


async def test_an_outage_is_no_answer_about_an_order() -> None:
    rig = await Rig.started()
    rig.venue.go_out()
    await failure(rig.send(mothers.order()))
    error = await failure(rig.query())
    assert error.code is StatusCode.UNAVAILABLE
    await asyncio.sleep(60)
    assert (await rig.state()).state == State.EXECUTION_STATE_IN_DOUBT


async def test_an_order_that_was_never_sent_is_certainly_absent() -> None:
    rig = await Rig.started()
    answer = await rig.query("nobody-sent-this")
    assert (answer.found, answer.is_absence_certain) == (False, True)


async def test_a_caller_that_leaves_does_not_stop_the_send() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.REQUEST_LOST
    request = mothers.start(mothers.order(), rig.clock.now_ns())
    leaving = asyncio.ensure_future(rig.execution.start_execution(request, Call(timeout_s=0.5)))
    await asyncio.sleep(0.1)
    leaving.cancel()
    await asyncio.sleep(0.5)
    assert (await rig.state()).state == State.EXECUTION_STATE_IN_DOUBT


async def test_a_call_whose_time_is_over_sends_nothing() -> None:
    rig = await Rig.started()
    rig.environment.database.faults.delay_s = 0.3  # The commit comes after the deadline.
    request = mothers.start(mothers.order(), rig.clock.now_ns())
    error = await failure(rig.execution.start_execution(request, Call(timeout_s=0.2)))
    assert error.code is StatusCode.DEADLINE_EXCEEDED
    rig.environment.database.faults.delay_s = 0
    await asyncio.sleep(2)
    assert rig.venue.places == []
    assert await rig.rows("executions_parents") == []


async def test_a_restart_reads_the_reports_of_what_was_on_its_way() -> None:
    rig = await Rig.started()
    rig.venue.fate = Fate.ANSWER_LOST
    rig.venue.is_silent = True
    request = mothers.start(mothers.order(), rig.clock.now_ns())
    sending = asyncio.ensure_future(rig.execution.start_execution(request))
    await asyncio.sleep(0.1)
    await rig.crash()
    await asyncio.gather(sending, return_exceptions=True)
    (child,) = await rig.rows("children")
    assert child.status == "PENDING_NEW"
    rig.venue.fate, rig.venue.is_silent = Fate.ANSWERED, False
    await rig.start()
    assert (await rig.state()).state == WORKING
    assert len(rig.venue.places) == 1


async def test_a_restart_asks_for_what_is_in_doubt_though_no_report_comes() -> None:
    rig = await Rig.started()
    rig.venue.fate, rig.venue.is_silent = Fate.ANSWER_LOST, True
    request = mothers.start(mothers.order(), rig.clock.now_ns())
    sending = asyncio.ensure_future(rig.execution.start_execution(request))
    await asyncio.sleep(0.1)
    await rig.crash()
    await asyncio.gather(sending, return_exceptions=True)
    await rig.start()
    await asyncio.sleep(0.5)
    assert (await rig.state()).state == WORKING
