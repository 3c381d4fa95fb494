"""While execution's database is away the venue's reports are spooled, and lose nothing."""

import asyncio

import pytest
from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st
from trading.execution.v1 import execution_pb2 as pb

from runtime.stores import Database
from runtime.stores import spool as spool_module
from runtime.stores.spool import Spool
from runtime.stores.standing import State
from runtime.virtual import VirtualLoop
from services.execution.tests import mothers
from services.execution.tests.rig import Rig, failure

PROBED_S = 31.0  # A database that is back has been asked by then, however long it was away.


async def working(lots: str = "10") -> Rig:
    """Return an instance with one order at the venue."""
    rig = await Rig.started()
    await rig.send(mothers.order(quantity=Decimal(value=lots)))
    await rig.rest()
    return rig


async def executions(rig: Rig) -> list[str]:
    return [report.exec_id for report in await rig.reports()]


async def test_a_fill_that_comes_while_the_database_is_away_is_not_lost() -> None:
    rig = await working()
    rig.database.faults.is_down = True
    rig.venue.fill("order-1", "4")
    await rig.rest()
    assert rig.spool.depth == 1
    rig.venue.feed.clear()  # The venue forgets: only the spool knows.
    rig.database.faults.is_down = False
    await asyncio.sleep(PROBED_S)
    assert await executions(rig) == ["E1", "E2"]
    assert (await rig.state()).filled.value == "4"
    assert rig.spool.depth == 0


async def test_the_venues_stream_is_read_on_while_the_database_is_away() -> None:
    rig = await working()
    rig.database.faults.is_down = True
    for _ in range(10):
        rig.venue.fill("order-1", "1")
        await rig.rest()
    await asyncio.sleep(10)  # Comparisons with the venue are due twice in this time.
    assert rig.spool.depth == 10
    assert rig.venue.streams == 1
    rig.database.faults.is_down = False
    await asyncio.sleep(PROBED_S)
    assert await executions(rig) == [f"E{number}" for number in range(1, 12)]
    assert (await rig.state()).filled.value == "10"


async def test_what_comes_while_the_spool_is_applied_goes_behind_it() -> None:
    rig = await working()
    rig.database.faults.is_down = True
    rig.venue.fill("order-1", "1")
    await rig.rest()
    rig.database.faults.is_down = False
    rig.database.faults.delay_s = 0.05  # Applying takes its time.
    await asyncio.sleep(1.0)
    for _ in range(4):
        rig.venue.fill("order-1", "1")
        await rig.rest()
    rig.database.faults.delay_s = 0.0
    await asyncio.sleep(PROBED_S)
    assert await executions(rig) == ["E1", "E2", "E3", "E4", "E5", "E6"]


async def test_a_crash_while_reports_are_spooled_loses_none_and_doubles_none() -> None:
    rig = await working()
    rig.database.faults.is_down = True
    rig.venue.fill("order-1", "4")
    await rig.rest()
    feed = list(rig.venue.feed)
    await rig.crash()
    assert rig.spool.depth == 0  # Not opened yet.
    rig.venue.feed.clear()
    rig.database.faults.is_down = False
    await rig.start()
    assert await executions(rig) == ["E1", "E2"]
    rig.venue.feed.extend(feed)
    rig.venue.fill("order-1", "6")
    await rig.rest()
    assert await executions(rig) == ["E1", "E2", "E3"]
    assert (await rig.state()).state == pb.EXECUTION_STATE_FILLED


async def test_a_report_whose_commit_was_not_answered_is_spooled_and_applied_once() -> None:
    rig = await working()
    rig.database.faults.answers_to_lose = 1
    rig.venue.fill("order-1", "4")
    await asyncio.sleep(PROBED_S)
    assert await executions(rig) == ["E1", "E2"]
    assert (await rig.state()).filled.value == "4"
    assert await rig.rows("anomalies") == []


async def test_a_report_that_was_applied_and_not_taken_off_is_applied_once() -> None:
    rig, spooled = Rig(), Database.inline_memory()
    rig.spool = Spool(spooled, rig.clock)
    await rig.start()
    await rig.send(mothers.order())
    await rig.rest()
    rig.database.faults.is_down = True
    rig.venue.fill("order-1", "4")
    await rig.rest()
    spooled.faults.commits_to_lose = 1  # Of the removal, after the effect is committed.
    rig.database.faults.is_down = False
    await asyncio.sleep(PROBED_S)
    assert rig.spool.depth == 0
    assert await executions(rig) == ["E1", "E2"]
    assert (await rig.state()).filled.value == "4"


async def test_reads_show_what_is_spooled_or_nothing() -> None:
    rig = await working()
    rig.database.faults.is_down = True
    rig.venue.fill("order-1", "4")
    await rig.rest()
    assert (await failure(rig.state())).code is StatusCode.UNAVAILABLE
    rig.database.faults.is_down = False  # Nobody has noticed yet.
    assert rig.spool.depth == 1
    assert (await rig.state()).filled.value == "4"


async def test_a_full_spool_stops_the_reading_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool_module, "DEPTH_MAX", 2)
    rig = await working()
    rig.database.faults.is_down = True
    for _ in range(5):
        rig.venue.fill("order-1", "1")
        await rig.rest()
    await asyncio.sleep(5)
    assert rig.spool.depth == 2
    streams = rig.venue.streams
    await asyncio.sleep(60)
    assert rig.venue.streams == streams  # Not even tried.
    rig.database.faults.is_down = False
    await asyncio.sleep(PROBED_S)
    assert await executions(rig) == [f"E{number}" for number in range(1, 7)]


async def test_durability_tells_how_much_is_spooled() -> None:
    rig = await working()
    durability = rig.environment.durability
    assert durability.summary().state is State.EPHEMERAL
    rig.database.faults.is_down = True
    rig.venue.fill("order-1", "1")
    await asyncio.sleep(10)
    _, facts, _ = durability.standings()
    assert (facts.state, facts.depth) == (State.SPOOLING, 1)
    assert 9.9 <= facts.age_s <= 10
    rig.database.faults.is_down = False
    await asyncio.sleep(PROBED_S)
    assert durability.summary().state is State.EPHEMERAL


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["fill", "away", "back", "crash", "wait"]), max_size=12))
def test_every_spooled_fact_is_applied_once_in_order(steps: list[str]) -> None:
    async def run() -> None:
        rig = await working("100")
        filled = 0
        for step in steps:
            if step == "fill":
                filled += 1
                rig.venue.fill("order-1", "1")
            elif step in ("away", "back"):
                rig.database.faults.is_down = step == "away"
            elif step == "wait":
                await asyncio.sleep(2)
            elif not rig.database.faults.is_down:
                await rig.crash()
                await rig.start()
            await rig.rest()
        rig.database.faults.is_down = False
        await asyncio.sleep(PROBED_S)
        assert await executions(rig) == [f"E{number}" for number in range(1, filled + 2)]
        assert (await rig.state()).filled.value == str(filled)
        await rig.environment.tasks.stop()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())
