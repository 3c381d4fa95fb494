"""What goes wrong is kept apart: doubts count as open, crashes repeat nothing, modes stop all."""

import asyncio

import pytest
from google.type.decimal_pb2 import Decimal
from trading.execution.v1 import execution_pb2 as pb
from trading.risk.v1 import risk_pb2
from trading.types.v1 import execution_pb2, order_pb2
from trading.types.v1.order_pb2 import EXECUTION_STYLE_CROSS

from runtime.errors import ServiceError
from services.execution.tests import mothers
from services.execution.tests.mothers import ANA
from services.execution.tests.rig import failure
from services.execution.tests.scripted import Fate
from services.execution.tests.test_worked_parents import cancel
from services.execution.tests.working import WorkingRig, order

State = pb.ExecutionState


async def test_an_unanswered_child_is_never_replaced_by_a_new_one() -> None:
    rig = await WorkingRig.started()
    rig.venue.fate, rig.venue.is_silent, rig.venue.is_deaf = Fate.ANSWER_LOST, True, True
    await rig.send(order("TWAP"))
    await rig.until_sent()
    rig.venue.go_out()
    await rig.pass_s(90)
    assert await rig.parts() == (0, 0, 10, 90)
    assert (await rig.state()).state == State.EXECUTION_STATE_WORKING
    rig.venue.is_out, rig.venue.is_deaf, rig.venue.fate = False, False, Fate.ANSWERED
    rig.venue.speak()
    await rig.pass_s(60)
    names = [name for name, _ in rig.sent]
    assert len(names) == len(set(names))
    filled, working, doubtful, rest = await rig.parts()
    assert (filled + working + doubtful + rest, doubtful) == (100, 0)


async def test_a_child_that_never_arrived_comes_back_to_the_schedule() -> None:
    rig = await WorkingRig.started()
    rig.venue.fate = Fate.REQUEST_LOST
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.until_sent()
    await rig.pass_s(1.1)
    assert (await rig.parts())[2] == 10
    rig.venue.fate = Fate.ANSWERED
    await rig.pass_s(30)
    assert await rig.parts() == (0, 0, 0, 100)
    await rig.pass_s(45)
    assert rig.sent == [("order-1/2", 20)]


async def test_a_restart_resumes_the_schedule_without_repeating_a_slice() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    for _ in range(10):
        await rig.pass_s(61)
        await rig.crash()
        await rig.start()
    await rig.pass_s(30)
    assert sum(lots for _, lots in rig.sent) == 100
    assert len({name for name, _ in rig.sent}) == len(rig.sent)
    assert await rig.parts() == (100, 0, 0, 0)


async def test_a_restart_in_the_middle_of_a_slice_goes_on_with_its_child() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(15)
    await rig.crash()
    await rig.start()
    await rig.pass_s(30)
    assert [lots for _, lots in rig.sent] == [10, 10]  # The passive one and, canceled, its rest.
    assert await rig.parts() == (10, 0, 0, 90)


async def test_a_cancel_that_comes_too_late_books_the_fill() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(15)
    rig.venue.is_cancel_too_late = True
    canceling = asyncio.ensure_future(rig.execution.cancel_execution(cancel()))
    await asyncio.sleep(0.1)
    rig.venue.take("order-1/1", 10)
    assert (await canceling).state == State.EXECUTION_STATE_CANCELED
    assert await rig.parts() == (10, 0, 0, 0)


async def test_a_cancel_waits_for_a_child_in_doubt() -> None:
    rig = await WorkingRig.started()
    rig.venue.fate, rig.venue.is_silent, rig.venue.is_deaf = Fate.ANSWER_LOST, True, True
    await rig.send(order("TWAP"))
    await rig.until_sent()
    error = await failure(rig.execution.cancel_execution(cancel()))
    assert not error.definite
    assert sum((await rig.parts())[1:3]) == 10
    rig.venue.is_deaf, rig.venue.fate = False, Fate.ANSWERED
    rig.venue.speak()
    await rig.pass_s(10)
    answer = await rig.execution.cancel_execution(cancel())
    assert answer.state == State.EXECUTION_STATE_CANCELED
    assert rig.venue.resting() == {}


@pytest.mark.parametrize("mode", ["HALTED", "CANCEL_ONLY"])
async def test_a_halt_stops_timers_and_cancels_children_within_fifty_milliseconds(
    mode: str,
) -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(15)
    assert rig.venue.resting()
    rig.risk.set_mode(mode)
    await rig.pass_s(0.05)
    assert rig.venue.resting() == {}
    await rig.pass_s(120)
    assert len(rig.sent) == 1
    assert (await rig.state()).note == f"the trading mode is {mode}"
    error = await failure(rig.send(mothers.order("order-2")))
    assert error.reason == "MODE_BLOCKED"
    rig.risk.set_mode("ACTIVE", since_ns=rig.clock.now_ns())
    await rig.pass_s(60)
    assert rig.sent[1][1] >= 20  # It catches up.


async def test_a_mode_of_another_account_stops_nothing() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    other = risk_pb2.Scope(kind=risk_pb2.SCOPE_KIND_ACCOUNT, id="ben")
    rig.risk.set_mode("HALTED", other)
    await rig.pass_s(100)
    assert len(rig.sent) >= 2
    mine = risk_pb2.Scope(kind=risk_pb2.SCOPE_KIND_INSTRUMENT, id="ALPHA.XSIM")
    rig.risk.set_mode("HALTED", mine)
    await rig.rest()
    assert (await failure(rig.send(mothers.order("order-2")))).reason == "MODE_BLOCKED"


async def test_reduce_only_stops_opening_orders_and_no_others() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    sell = order(
        "TWAP",
        client_order_id="order-2",
        side=order_pb2.SIDE_SELL,
        limit_price=Decimal(value="95"),
    )
    await rig.send(sell)
    rig.risk.set_mode("REDUCE_ONLY", since_ns=rig.clock.now_ns() + 1)
    await rig.rest()
    before = len(rig.sent)
    await rig.pass_s(130)
    owners = {name.partition("/")[0] for name, _ in rig.sent[before:]}
    assert owners == {"order-2"}


async def test_silence_of_risk_is_as_cancel_only_until_it_is_back() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(15)
    rig.risk.is_silent = True
    await rig.pass_s(4.1)
    assert rig.venue.resting() == {}
    assert (await failure(rig.send(mothers.order("order-2")))).reason == "MODE_BLOCKED"
    rig.risk.is_silent = False
    await rig.pass_s(2)
    await rig.send(mothers.order("order-2"))


async def test_a_stop_outlives_a_restart_before_risk_has_told_it_again() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.pass_s(15)
    rig.risk.set_mode("CANCEL_ONLY")
    await rig.pass_s(60)
    sent = len(rig.sent)
    rig.risk.is_silent = True
    await rig.crash()
    await rig.start()
    await rig.pass_s(2)
    assert len(rig.sent) == sent
    assert (await failure(rig.send(mothers.order("order-2")))).reason == "MODE_BLOCKED"


async def test_an_order_waits_until_risk_has_told_the_modes() -> None:
    rig = await WorkingRig.started()
    rig.risk.is_silent = True
    await rig.crash()
    await rig.start()
    sending = asyncio.ensure_future(rig.send(mothers.order("order-2")))
    await rig.pass_s(0.2)
    assert rig.sent == []
    rig.risk.is_silent = False
    await sending
    assert [name for name, _ in rig.sent] == ["order-2"]


async def test_a_paused_parent_stands_still_until_it_goes_on() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(15)
    request = pb.PauseExecutionRequest(
        account=ANA, client_order_id="order-1", request_id="p-1", is_paused=True
    )
    assert (await rig.execution.pause_execution(request)).is_paused
    await rig.pass_s(150)
    assert len(rig.sent) == 1
    assert ((await rig.state()).is_paused, (await rig.state()).note) == (True, "PAUSED")
    request.request_id, request.is_paused = "p-2", False
    await rig.execution.pause_execution(request)
    await rig.pass_s(1)
    assert rig.sent[1][1] >= 10


async def test_a_direct_execution_cannot_be_paused() -> None:
    rig = await WorkingRig.started()
    await rig.send(mothers.order())
    request = pb.PauseExecutionRequest(
        account=ANA, client_order_id="order-1", request_id="p-1", is_paused=True
    )
    assert (await failure(rig.execution.pause_execution(request))).reason == "NOT_SCHEDULED"


async def test_orders_asks_execution_for_a_parent_not_the_venue() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(15)
    found = await rig.query()
    assert found.found
    assert (found.order.cum_quantity.value, found.order.leaves_quantity.value) == ("10", "90")
    kinds = [one.exec_type for one in found.executions]
    assert kinds[0] == execution_pb2.EXEC_TYPE_NEW
    assert execution_pb2.EXEC_TYPE_TRADE in kinds


async def test_a_venue_that_refuses_a_child_gets_the_next_slice() -> None:
    rig = await WorkingRig.started()
    rig.venue.fate = Fate.REFUSED
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(15)
    assert await rig.parts() == (0, 0, 0, 100)
    rig.venue.fate = Fate.ANSWERED
    await rig.pass_s(60)
    assert rig.sent[0][1] == 20


async def test_a_failing_store_repeats_no_slice() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    faults = rig.environment.database.faults
    faults.is_down = True
    await rig.pass_s(100)
    faults.is_down = False
    faults.answers_to_lose = 1  # The child's commit happens; nobody knows.
    await rig.pass_s(600)
    assert sum(lots for _, lots in rig.sent) == 100
    with pytest.raises(ServiceError):
        await rig.state("nothing")


async def test_a_venue_that_ails_gets_no_child_and_keeps_what_it_has() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"))
    await rig.until_sent()
    await rig.rest()
    health = rig.service.venue_health
    for _ in range(20):
        health.judged(is_rejected=True, taken_s=0.1)
    rig.venue.is_deaf = rig.venue.is_mute = True
    resting = rig.venue.resting()
    await rig.pass_s(10)
    assert rig.venue.resting() == resting
    await rig.pass_s(65)
    assert (len(rig.sent), (await rig.state()).note) == (1, "VENUE_UNHEALTHY")
    rig.venue.is_deaf = rig.venue.is_mute = False
    await rig.pass_s(65)
    assert len(rig.sent) > 1
