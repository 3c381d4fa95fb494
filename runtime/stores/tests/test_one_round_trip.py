"""On a server what changes rows travels with what comes after it, COMMIT at the latest.

So an error arrives later than its statement, maybe while others' work runs: it is the error of
its own unit all the same, and nothing of that unit is committed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import aiomysql  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection, MetaData, bindparam, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.util import await_

from runtime.stores import (
    Database,
    EpochFence,
    Epochs,
    Inbox,
    StoreFenced,
    epochs_table,
)
from runtime.stores.tests.mothers import INBOX as INBOX_TABLE
from runtime.stores.tests.mothers import (
    INSERT_NOTE,
    NOTES,
    MysqlServer,
    blind_note,
    notes,
    with_tables,
)

pytestmark = pytest.mark.real_time

INBOX = Inbox(INBOX_TABLE)
TABLES = MetaData()
EPOCHS = Epochs(epochs_table(TABLES))
FIND = select(NOTES.c.id).where(NOTES.c.text == bindparam("wanted"))
RENAME = update(NOTES).where(NOTES.c.text == bindparam("wanted"))
Work = Callable[[Connection], object]


@pytest.fixture
async def database(mysql: MysqlServer) -> AsyncIterator[Database]:
    database = await with_tables(Database.at_url(await mysql.fresh()))
    await database.create(TABLES)
    for name in ("first", "second"):  # By then their statements are known.
        await database.write(
            both(blind_note(name), both(found(name), both(renamed(name, name), seen(name))))
        )
    yield database
    await database.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is sent to the server from now on, packet by packet."""
    sent: list[str] = []
    send = aiomysql.Connection._execute_command

    async def execute(self: object, command: int, sql: str | bytes) -> None:
        sent.append(sql if isinstance(sql, str) else sql.decode())
        await send(self, command, sql)

    monkeypatch.setattr(aiomysql.Connection, "_execute_command", execute)
    return sent


async def test_work_that_only_writes_is_one_round_trip(
    database: Database, trips: list[str]
) -> None:
    await database.write(both(blind_note("a"), both(renamed("a", "b"), blind_note("c"))))
    assert len(trips) == 1
    assert await notes(database) == ["first", "second", "b", "c"]


async def test_answer_costs_one_more_and_sees_what_was_written(
    database: Database, trips: list[str]
) -> None:
    ids = await database.write(both(blind_note("a"), found("a")))
    assert len(trips) == 2
    assert trips[-1] == "COMMIT"
    assert ids is not None


async def test_group_of_writers_is_one_round_trip(database: Database, trips: list[str]) -> None:
    holding = asyncio.ensure_future(database.write(blind_note("holding")))
    await asyncio.sleep(0)  # What comes now waits together for its commit.
    await asyncio.gather(holding, *[database.write(blind_note(f"{i}")) for i in range(20)])
    assert len(trips) == 2


async def test_what_was_put_off_is_counted_and_numbered_when_it_is_looked_at(
    database: Database,
) -> None:
    def work(tx: Connection) -> tuple[int, int, list[int]]:
        added = [tx.execute(INSERT_NOTE, {"text": name, "parent": None}) for name in "abc"]
        none = tx.execute(RENAME, {"wanted": "nobody", "text": "x"})
        keys = [key[0] for one in added if (key := one.inserted_primary_key)]
        return none.rowcount, added[0].rowcount, [key - keys[0] for key in keys]

    assert await database.write(work) == (0, 1, [0, 1, 2])


async def test_more_than_one_packet_holds_arrives_in_order(database: Database) -> None:
    names = [f"{i}" for i in range(600)]
    await database.write(lambda tx: [blind_note(name)(tx) for name in names])
    assert (await notes(database))[2:] == names


async def test_broken_constraint_is_told_to_its_own_caller_alone(database: Database) -> None:
    works = [blind_note("a"), blind_note("first"), both(blind_note("b"), found("b"))]
    ended = await together(database, works)
    assert [type(end) for end in ended] == [int, IntegrityError, int]
    assert await notes(database) == ["first", "second", "a", "b"]


async def test_connection_outlives_a_broken_constraint(database: Database) -> None:
    connection = text("SELECT CONNECTION_ID()")
    before = await database.write(lambda tx: tx.execute(connection).scalar())
    with pytest.raises(IntegrityError):
        await database.write(blind_note("first"))
    assert await database.write(lambda tx: tx.execute(connection).scalar()) == before


async def test_nobody_takes_the_error_of_another_for_his_own(database: Database) -> None:
    ended = await together(database, [blind_note("first"), seen("event"), blind_note("a")])
    assert [type(end) for end in ended] == [IntegrityError, bool, int]
    assert ended[1] is True  # Its row was new: the key that was there is another unit's.
    assert await database.write(seen("event")) is False
    assert await notes(database) == ["first", "second", "a"]


@pytest.mark.parametrize("company", [0, 2])
async def test_error_that_work_swallows_too_late_takes_all_of_it_back(
    database: Database, company: int
) -> None:
    def careless(tx: Connection) -> None:
        blind_note("first")(tx)
        blind_note("lost")(tx)
        with suppress(IntegrityError):  # It cannot know what of it came about.
            tx.execute(FIND, {"wanted": "lost"})

    names = [f"{i}" for i in range(company)]
    ended = await together(database, [careless, *map(blind_note, names)])
    assert [type(end) for end in ended] == [IntegrityError] + [int] * company
    assert await notes(database) == ["first", "second", *names]


async def test_what_was_put_off_by_work_that_raises_is_never_run(database: Database) -> None:
    def raises(tx: Connection) -> None:
        blind_note("a")(tx)
        raise ValueError("no more")

    ended = await together(database, [blind_note("b"), raises, blind_note("c")])
    assert [type(end) for end in ended] == [int, ValueError, int]
    ended = await together(database, [raises])
    assert [type(end) for end in ended] == [ValueError]
    assert await notes(database) == ["first", "second", "b", "c"]


@pytest.mark.parametrize("company", [1, 3])
async def test_epoch_is_looked_at_in_the_same_packet(
    database: Database, trips: list[str], company: int
) -> None:
    epoch = await database.write(lambda tx: EPOCHS.take(tx, "all"))
    database.fence(EpochFence(EPOCHS, "all", epoch))
    trips.clear()
    await database.write(blind_note("a"))
    assert len(trips) == 1
    await database.write(lambda tx: EPOCHS.take(tx, "all"))  # As if another process had.
    works = [blind_note("b"), both(blind_note("c"), found("c")), blind_note("d")][:company]
    ended = await together(database, works)
    assert [type(end) for end in ended] == [StoreFenced] * company
    assert "epoch 1 of shard all is over: epoch 2 writes now" in str(ended[0])
    assert await notes(database) == ["first", "second", "a"]


async def test_single_question_is_one_round_trip_once_it_is_known_as_one(
    database: Database, trips: list[str]
) -> None:
    for name in ("first", "second", "third"):
        trips.clear()
        await database.read(found(name))
    assert len(trips) == 1


async def test_work_that_asks_again_is_run_again_on_one_snapshot(database: Database) -> None:
    asked: list[int] = []

    def count(times: int) -> Callable[[Connection], list[int]]:
        def work(tx: Connection) -> list[int]:
            asked.append(times)
            counts = []
            for _ in range(times):
                counts.append(len(tx.execute(select(NOTES.c.id)).all()))
                await_(database.write(blind_note(f"{len(asked)}-{len(counts)}")))
            return counts

        return work

    assert await database.read(count(1)) == [2]
    assert await database.read(count(1)) == [3]
    assert await database.read(count(2)) == [5, 5]  # The first look, thrown away, added one.
    assert await database.read(count(2)) == [7, 7]
    assert await database.read(count(1)) == [9]
    assert asked == [1, 1, 2, 2, 2, 1]


async def together(database: Database, works: list[Work]) -> list[object]:
    """Return how works ended that ran in one group."""
    holding = asyncio.ensure_future(database.write(seen("holding")))
    await asyncio.sleep(0)
    ended = await asyncio.gather(*map(database.write, works), return_exceptions=True)
    await asyncio.wait([holding])
    return list(ended)


def both(first: Work, second: Work) -> Work:
    def work(tx: Connection) -> object:
        first(tx)
        return second(tx)

    return work


def found(name: str) -> Work:
    return lambda tx: tx.execute(FIND, {"wanted": name}).scalar()


def renamed(name: str, new: str) -> Work:
    return lambda tx: tx.execute(RENAME, {"wanted": name, "text": new}) and None


def seen(event: str) -> Work:
    return lambda tx: INBOX.first_time(tx, "tests", event)
