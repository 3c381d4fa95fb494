"""What each kind of data does while a store is away, and that it is told and ends by itself."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from runtime.clock import ReplayClock
from runtime.errors import ServiceError
from runtime.hosting import Tasks
from runtime.stores.database import Database
from runtime.stores.durability import Durability
from runtime.stores.errors import CommitUnknown, StoreError
from runtime.stores.presence import Absence, Presence
from runtime.stores.standing import (
    OUTBOX_ROWS_MAX,
    Condition,
    Data,
    Standing,
    State,
    Waiting,
    standings,
    worst,
)
from runtime.times import NS_PER_S

START_NS = 10**18
MINUTE_NS = 60 * NS_PER_S

absences = st.none() | st.builds(Absence, st.integers(0, START_NS), st.text(min_size=1))
counts = st.integers(1, 2 * OUTBOX_ROWS_MAX)
waitings = st.just(Waiting()) | st.builds(Waiting, counts, st.integers(0, START_NS))
conditions = st.builds(
    Condition,
    is_ephemeral=st.booleans(),
    database=absences,
    spool=st.none() | waitings,
    streams=absences,
    outbox=st.none() | waitings,
)


def states(condition: Condition) -> dict[Data, State]:
    return {one.data: one.state for one in standings(condition, START_NS)}


@given(conditions)
def test_nothing_is_called_durable_while_its_store_is_away(condition: Condition) -> None:
    found = states(condition)
    if condition.database is None:
        assert found[Data.READS] in (State.DURABLE, State.EPHEMERAL)
        return
    facts = State.REFUSING if condition.spool is None else State.SPOOLING
    assert found[Data.INTENTS] is State.REFUSING
    assert found[Data.FACTS] is facts
    assert found[Data.READS] is State.STALE


@given(conditions)
def test_memory_is_never_called_durable(condition: Condition) -> None:
    found = states(replace(condition, is_ephemeral=True))
    assert State.DURABLE not in found.values()


@given(conditions)
def test_the_summary_promises_no_more_than_any_kind_of_data(condition: Condition) -> None:
    found = standings(condition, START_NS)
    order = list(State)
    least = max(order.index(one.state) for one in found)
    assert order.index(worst(found).state) == least


@given(conditions)
def test_who_is_away_is_told_since_when_and_why(condition: Condition) -> None:
    for one in standings(condition, START_NS):
        if one.state not in (State.DURABLE, State.EPHEMERAL):
            assert one.reason
            assert one.since_ns is not None


@pytest.mark.parametrize(
    ("depth", "minutes", "expected"),
    [(5, 14, State.DURABLE), (5, 16, State.REFUSING), (OUTBOX_ROWS_MAX + 1, 1, State.REFUSING)],
    ids=["a few for a while", "a few for long", "too many"],
)
def test_intents_are_refused_when_too_much_waits_for_the_streams(
    depth: int, minutes: int, expected: State
) -> None:
    outbox = Waiting(depth, START_NS - minutes * MINUTE_NS)
    away = Absence(START_NS - minutes * MINUTE_NS, "connection refused")
    found = states(Condition(streams=away, outbox=outbox))
    assert found[Data.INTENTS] is expected
    assert found[Data.STREAMS] is State.BACKLOG


@given(st.lists(st.booleans(), max_size=30))
def test_a_store_is_away_from_a_failure_to_the_next_answer(answers: list[bool]) -> None:
    presence, is_away = Presence(), False
    for number, is_answer in enumerate(answers):
        if is_answer:
            assert presence.answered() is is_away
        else:
            assert presence.failed(number, "away") is not is_away
        is_away = not is_answer
        assert presence.is_away is is_away


def test_a_store_that_is_away_is_asked_ever_less_often_and_at_least_twice_a_minute() -> None:
    presence = Presence()
    presence.failed(0, "away")
    assert [presence.next_probe_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    presence.answered()
    assert presence.next_probe_s() == 1


@dataclass
class World:
    """One service's database, its clock, and what it promises."""

    database: Database
    clock: ReplayClock
    durability: Durability

    def state(self) -> State:
        return self.durability.summary().state

    async def fail(self) -> None:
        with pytest.raises(StoreError):
            await self.database.write(lambda tx: tx.execute(text("SELECT 1")))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    database, clock, tasks = Database.inline_memory(), ReplayClock(START_NS), Tasks("orders")
    yield World(database, clock, Durability("orders", database, clock, tasks))
    await tasks.stop()
    await database.close()


async def test_an_outage_is_noticed_by_the_work_that_fails(world: World) -> None:
    assert world.state() is State.EPHEMERAL
    world.database.faults.is_down = True
    await world.fail()
    assert world.state() is State.REFUSING


async def test_a_database_that_comes_back_is_noticed_though_nobody_asks(world: World) -> None:
    returns: list[float] = []
    loop = asyncio.get_running_loop()
    world.durability.on_return(lambda: returns.append(loop.time()))
    began_s = loop.time()
    world.database.faults.is_down = True
    await world.fail()
    await asyncio.sleep(10)
    world.database.faults.is_down = False
    await world.durability.database_is_there()
    assert returns == [began_s + 15]  # Asked after 1, 3, 7 and 15 seconds.
    assert world.state() is State.EPHEMERAL


async def test_the_first_commit_ends_the_outage_without_waiting_for_a_probe(world: World) -> None:
    world.database.faults.is_down = True
    await world.fail()
    world.database.faults.is_down = False
    world.database.faults.delay_s = 0.01
    await world.database.write(lambda tx: tx.execute(text("SELECT 1")))
    assert world.state() is State.EPHEMERAL


async def test_while_all_is_well_no_timer_runs(world: World) -> None:
    await world.database.write(lambda tx: tx.execute(text("SELECT 1")))
    assert len(asyncio.all_tasks()) == 1


async def test_a_change_is_logged_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        world.database.faults.is_down = True
        for _ in range(5):
            await world.fail()
        world.database.faults.is_down = False
        await world.durability.database_is_there()
    changes = [record.getMessage() for record in caplog.records]
    assert [text.split(":")[0] for text in changes] == [
        "the database of orders is away",
        "the database of orders is back",
    ]


async def test_an_answer_that_was_lost_is_not_an_outage(world: World) -> None:
    world.database.faults.answers_to_lose = 1
    with pytest.raises(CommitUnknown):
        await world.database.write(lambda tx: tx.execute(text("SELECT 1")))
    assert world.state() is State.EPHEMERAL


class Relay:
    """A relay as durability sees it."""

    def __init__(self, waiting: Waiting) -> None:
        self.trouble: Exception | None = ConnectionError("redis is away")
        self.counted = 0
        self._waiting = waiting

    async def waiting(self) -> Waiting:
        self.counted += 1
        return self._waiting


async def test_intents_go_on_while_little_waits_for_the_streams(world: World) -> None:
    world.durability.publishes_through(Relay(Waiting(10, START_NS)))
    await world.durability.admit_intent()
    assert states_of(await world.durability.look())[Data.STREAMS] is State.BACKLOG


async def test_intents_are_refused_after_a_quarter_of_an_hour_without_streams(
    world: World,
) -> None:
    relay = Relay(Waiting(10, START_NS - 16 * MINUTE_NS))
    world.durability.publishes_through(relay)
    for _ in range(3):
        with pytest.raises(ServiceError) as refused:
            await world.durability.admit_intent()
    assert refused.value.code is StatusCode.UNAVAILABLE
    assert refused.value.reason == "STREAMS_BACKLOG"
    assert relay.counted == 1  # Not counted for every call.
    relay.trouble = None
    await world.durability.admit_intent()
    assert states_of(world.durability.standings())[Data.STREAMS] is State.EPHEMERAL


def states_of(found: Sequence[Standing]) -> dict[Data, State]:
    return {one.data: one.state for one in found}
