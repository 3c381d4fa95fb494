"""What READ COMMITTED lets happen between two writers, and what of the house's excludes it.

Every anomaly is shown twice, on a real server: as it happens to work that trusts what it has
read (the planted bug), and excluded by a version compared, a row locked `FOR UPDATE`, a unique
key or an epoch. The steps are interleaved by hand: each side goes on when the other has come
to its place, or is seen waiting for a lock. On a file one writer at a time gets in at all.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.util import await_

from runtime.stores import Database, Epochs, StoreConflict, StoreFenced, epochs_table, file_backend
from runtime.stores.epochs import EpochFence
from runtime.stores.tests.mothers import MysqlServer

pytestmark = pytest.mark.real_time

METADATA = MetaData()
ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("name", String(8), primary_key=True),
    Column("money", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)
HOLDS = Table(
    "holds",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(8), nullable=False),
    Column("slot", Integer),  # NULL where nobody trusts in it.
    UniqueConstraint("account", "slot"),
)
EPOCHS = Epochs(epochs_table(METADATA))
IS_NAME = ACCOUNTS.c.name == bindparam("n")
READ = select(ACCOUNTS.c.money, ACCOUNTS.c.version).where(IS_NAME)
SUM = select(func.sum(ACCOUNTS.c.money))
ALL = select(ACCOUNTS.c.money).order_by(ACCOUNTS.c.name)
WRITE = update(ACCOUNTS).where(IS_NAME)
COMPARE = WRITE.where(ACCOUNTS.c.version == bindparam("was"))
COUNT = select(func.count()).select_from(HOLDS)

LOOK_EVERY_S = 0.15  # InnoDB tells the same for 0.1 s to those who ask more often.
Pause = Callable[[], None]  # Ends when the other has come to its place, or waits for a lock.
Work = Callable[[Connection, Pause], None]


def nothing() -> None:
    """Do not wait for anybody."""


@dataclass
class Two:
    """Two processes' databases of one schema, and how they are interleaved."""

    first: Database
    second: Database
    waiters: Callable[[], Awaitable[int]]
    errors: list[BaseException] = field(default_factory=list)
    has_waited: bool = False  # Whether the other could not go on before the one had ended.

    async def race(self, one: Work, other: Work) -> None:
        """Let `one` read; then `other` run until it ends or waits; then `one` go on."""
        has_read, go_on = asyncio.Event(), asyncio.Event()

        def pause() -> None:
            has_read.set()
            await_(go_on.wait())

        leading = asyncio.ensure_future(self.first.write(lambda tx: one(tx, pause)))
        await has_read.wait()
        following = asyncio.ensure_future(self.second.write(lambda tx: other(tx, nothing)))
        for _ in range(100):
            await asyncio.wait([following], timeout=LOOK_EVERY_S)
            if following.done() or await self.waiters():
                break
        self.has_waited = not following.done()
        go_on.set()
        ended = await asyncio.gather(leading, following, return_exceptions=True)
        self.errors = [end for end in ended if isinstance(end, BaseException)]

    async def money(self) -> list[int]:
        """Return what the accounts hold."""
        return await self.first.read(lambda tx: list(tx.execute(ALL).scalars()))

    async def holds(self) -> int:
        """Return how many holds there are."""
        return await self.first.read(lambda tx: int(tx.execute(COUNT).scalar_one()))


@pytest.fixture
async def two(mysql: MysqlServer) -> AsyncIterator[Two]:
    url = await mysql.fresh()
    query = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"

    async def waiters() -> int:
        return int((await mysql.execute(query))[0][0])

    async with both(Database.at_url(url), Database.at_url(url)) as (first, second):
        yield Two(first, second, waiters)


@asynccontextmanager
async def both(first: Database, second: Database) -> AsyncIterator[tuple[Database, Database]]:
    await first.create(METADATA)
    rows = [{"name": name, "money": 100, "version": 0} for name in ("a", "b")]
    await first.write(lambda tx: tx.execute(insert(ACCOUNTS), rows))
    try:
        yield first, second
    finally:
        await first.close()
        await second.close()


def spend_trusting(tx: Connection, pause: Pause) -> None:
    money = tx.execute(READ, {"n": "a"}).one().money
    pause()
    tx.execute(WRITE, {"n": "a", "money": money - 10})


def spend_comparing(tx: Connection, pause: Pause) -> None:
    row = tx.execute(READ, {"n": "a"}).one()
    pause()
    changed = {"n": "a", "was": row.version, "money": row.money - 10, "version": row.version + 1}
    if tx.execute(COMPARE, changed).rowcount != 1:
        raise StoreConflict("account a was changed by another writer")


def spend_locking(tx: Connection, pause: Pause) -> None:
    money = tx.execute(READ.with_for_update(), {"n": "a"}).one().money
    pause()
    tx.execute(WRITE, {"n": "a", "money": money - 10})


async def test_update_is_lost_by_those_who_trust_what_they_read(two: Two) -> None:
    await two.race(spend_trusting, spend_trusting)
    assert (await two.money())[0] == 90  # Twice 10 were spent.


async def test_no_update_is_lost_where_versions_are_compared(two: Two) -> None:
    await two.race(spend_comparing, spend_comparing)
    assert [type(error) for error in two.errors] == [StoreConflict]  # One is told.
    assert (await two.money())[0] == 90
    await two.first.write(lambda tx: spend_comparing(tx, nothing))
    assert (await two.money())[0] == 80


async def test_no_update_is_lost_where_the_row_is_locked(two: Two) -> None:
    await two.race(spend_locking, spend_locking)
    assert two.errors == []
    assert (await two.money())[0] == 80


def withdraw(name: str, *, is_locking: bool) -> Work:
    """Return work that takes 150 from one account if both together have as much."""

    def work(tx: Connection, pause: Pause) -> None:
        if is_locking:
            together = sum(tx.execute(ALL.with_for_update()).scalars())
        else:
            together = int(tx.execute(SUM).scalar_one())
        pause()
        if together >= 150:
            money = tx.execute(READ, {"n": name}).one().money
            tx.execute(WRITE, {"n": name, "money": money - 150})

    return work


async def test_write_skew_breaks_a_rule_over_two_rows_that_nobody_locks(two: Two) -> None:
    await two.race(withdraw("a", is_locking=False), withdraw("b", is_locking=False))
    assert sum(await two.money()) == -100  # It must never be below zero.


async def test_write_skew_is_excluded_where_both_rows_are_locked(two: Two) -> None:
    await two.race(withdraw("a", is_locking=True), withdraw("b", is_locking=True))
    assert two.errors == []
    assert await two.money() == [-50, 100]


def hold_trusting(tx: Connection, pause: Pause) -> None:
    count = tx.execute(COUNT).scalar_one()
    pause()
    if count == 0:
        tx.execute(insert(HOLDS), {"account": "a", "slot": None})


def hold_in_slot(tx: Connection, pause: Pause) -> None:
    count = int(tx.execute(COUNT).scalar_one())
    pause()
    if count == 0:
        tx.execute(insert(HOLDS), {"account": "a", "slot": count + 1})


def hold_locking(tx: Connection, pause: Pause) -> None:
    tx.execute(READ.with_for_update(), {"n": "a"})  # The row that stands for all of its holds.
    hold_trusting(tx, pause)


async def test_phantom_slips_in_where_rows_are_only_counted(two: Two) -> None:
    await two.race(hold_trusting, hold_trusting)
    assert await two.holds() == 2  # One is allowed.


async def test_phantom_is_excluded_by_a_unique_key(two: Two) -> None:
    await two.race(hold_in_slot, hold_in_slot)
    assert [type(error) for error in two.errors] == [IntegrityError]
    assert await two.holds() == 1


async def test_phantom_is_excluded_by_the_row_that_stands_for_the_set(two: Two) -> None:
    await two.race(hold_locking, hold_locking)
    assert two.errors == []
    assert await two.holds() == 1


async def test_writer_that_was_superseded_commits_nothing_even_in_mid_transaction(
    two: Two,
) -> None:
    """The epoch's row is locked: the successor waits for what was admitted, then all is over."""
    await fenced(two.first)
    await two.race(spend_trusting, take_over)
    assert two.has_waited
    assert (await two.money())[0] == 90
    with pytest.raises(StoreFenced, match="epoch 1 of shard all is over: epoch 2 writes now"):
        await two.first.write(lambda tx: spend_trusting(tx, nothing))
    assert (await two.money())[0] == 90


async def test_whole_group_of_a_superseded_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    async with both(Database.sqlite_file(path), Database.sqlite_file(path)) as (first, second):
        await fenced(first)
        await second.write(lambda tx: EPOCHS.take(tx, "all"))
        spending = [first.write(lambda tx: spend_trusting(tx, nothing)) for _ in range(5)]
        ended = await asyncio.gather(*spending, return_exceptions=True)
        assert [type(end) for end in ended] == [StoreFenced] * 5
        assert await second.read(lambda tx: list(tx.execute(ALL).scalars())) == [100, 100]


async def test_on_a_file_nobody_reads_to_write_before_the_other_has_committed(
    tmp_path: Path,
) -> None:
    """The first commit takes 100 ms in its thread; the second writer begins meanwhile."""
    path = tmp_path / "one.sqlite"
    async with both(Database.sqlite_file(path), Database.sqlite_file(path)) as (first, second):
        backend = first._backend
        assert isinstance(backend, file_backend.FileBackend)
        began, in_thread = asyncio.Event(), backend._in_thread

        def slowly(work: Callable[[], object]) -> Awaitable[None]:
            def after_a_while() -> None:
                time.sleep(0.1)
                work()

            began.set()
            return in_thread(after_a_while)

        backend._in_thread = slowly  # type: ignore[method-assign,assignment]
        leading = asyncio.ensure_future(first.write(lambda tx: spend_trusting(tx, nothing)))
        await began.wait()
        await second.write(lambda tx: spend_trusting(tx, nothing))
        await leading
        assert await second.read(lambda tx: list(tx.execute(ALL).scalars())) == [80, 100]


def take_over(tx: Connection, pause: Pause) -> None:
    EPOCHS.take(tx, "all")
    pause()


async def fenced(database: Database) -> None:
    """Make `database` a writer that admits its epoch in every transaction."""
    epoch = await database.write(lambda tx: EPOCHS.take(tx, "all"))
    database.fence(EpochFence(EPOCHS, "all", epoch))
