"""Reports that are lost, late or out of order are found, fetched, and applied in order (X8)."""

import asyncio

from trading.exchange.v1 import exchange_pb2
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1.execution_pb2 import ExecutionReport

from services.execution.ordering import advanced, in_sequence, with_gap
from services.execution.tests import mothers
from services.execution.tests.rig import Rig

State = pb.ExecutionState


def report(account: str, sequence: int) -> ExecutionReport:
    return ExecutionReport(account=account, venue_sequence=sequence)


def test_reports_of_one_account_are_put_in_sequence_and_no_others() -> None:
    mixed = [report("a", 3), report("b", 1), report("a", 2)]
    ordered = [(one.account, one.venue_sequence) for one in in_sequence(mixed)]
    assert ordered == [("a", 2), ("b", 1), ("a", 3)]


def test_an_account_of_which_a_report_is_missing_is_named() -> None:
    reports = [report("a", 2), report("b", 2), report("a", 3)]
    assert with_gap({"a": 1, "b": 0}, reports) == ["b"]
    assert with_gap({"a": 1, "b": 1}, reports) == []
    assert with_gap({}, [report("c", 1)]) == []
    assert advanced({"a": 9}, reports) == {"a": 9, "b": 2}


async def test_a_lost_last_report_is_found_without_a_reconnect() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    rig.venue.dropped = len(rig.venue.feed) + 1  # The stream will not bring it.
    rig.venue.fill("order-1", "10")
    await asyncio.sleep(0.5)
    assert (await rig.state()).state == State.EXECUTION_STATE_WORKING
    await asyncio.sleep(6)
    assert (await rig.state()).state == State.EXECUTION_STATE_FILLED
    assert rig.venue.streams == 1
    assert [one.exec_id for one in await rig.reports()] == ["E1", "E2"]


async def test_a_report_behind_a_lost_one_waits_for_it() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    rig.venue.dropped = len(rig.venue.feed) + 1
    rig.venue.fill("order-1", "4")
    await rig.rest()
    rig.venue.fill("order-1", "6")
    await rig.rest()
    assert (await rig.state()).state == State.EXECUTION_STATE_FILLED
    assert [one.exec_id for one in await rig.reports()] == ["E1", "E2", "E3"]
    assert rig.venue.lists == ["ana"]


async def test_an_open_order_is_compared_every_five_seconds() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await asyncio.sleep(21)
    assert 3 <= len(rig.venue.lists) <= 5


async def test_nothing_is_compared_when_nothing_can_happen() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    rig.venue.fill("order-1", "10")
    await asyncio.sleep(11)
    before = len(rig.venue.lists)
    await asyncio.sleep(30)
    assert len(rig.venue.lists) == before


async def test_a_stream_without_heartbeats_is_opened_again() -> None:
    rig = await Rig.started()
    rig.venue.is_frozen = True
    await asyncio.sleep(4)
    rig.venue.is_frozen = False
    await rig.send(mothers.order())
    await asyncio.sleep(1)
    assert rig.venue.streams >= 2
    assert (await rig.state()).state == State.EXECUTION_STATE_WORKING


async def test_an_empty_message_moves_nothing_back() -> None:
    rig = await Rig.started()
    await rig.send(mothers.order())
    await rig.rest()
    rig.venue.say(exchange_pb2.WatchExecutionsResponse(sequence=1, is_heartbeat=True))
    await rig.rest()
    assert (await rig.state()).state == State.EXECUTION_STATE_WORKING
