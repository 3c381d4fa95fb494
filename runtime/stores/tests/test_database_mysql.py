"""What only a server can do: be shared, be slow, refuse, take back, go on without us."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection, bindparam, text, update
from sqlalchemy.exc import DataError
from sqlalchemy.util import await_

from runtime.stores import Database, StoreBusy, StoreError, StoreFull, StoreLocked, StoreReadOnly
from runtime.stores.mysql_links import Limits
from runtime.stores.tests.mothers import NOTES, MysqlServer, note, notes, with_tables

pytestmark = pytest.mark.real_time

Work = Callable[[Connection], object]
SMALL = Limits(pool=2, overflow=1, checkout_s=0.1, statement_s=0.5, lock_s=1)


@asynccontextmanager
async def opened(mysql: MysqlServer, limits: Limits | None = None) -> AsyncIterator[Database]:
    async with at(await mysql.fresh(), limits) as database:
        yield await with_tables(database)


@asynccontextmanager
async def at(url: str, limits: Limits | None = None) -> AsyncIterator[Database]:
    database = Database.at_url(url, limits)
    try:
        yield database
    finally:
        await database.close()


def ask(words: str) -> Work:
    return lambda tx: tx.execute(text(words)).scalar()


def rename(row: int, name: str) -> Work:
    return lambda tx: tx.execute(update(NOTES).where(NOTES.c.id == row), {"text": name})


async def test_session_is_what_the_house_states(mysql: MysqlServer) -> None:
    async with opened(mysql) as database:
        is_mariadb = mysql.version.startswith("MariaDB")
        isolation = "@@tx_isolation" if is_mariadb else "@@transaction_isolation"
        assert await database.write(ask(f"SELECT {isolation}")) == "READ-COMMITTED"
        assert await database.read(ask(f"SELECT {isolation}")) == "REPEATABLE-READ"
        assert await database.write(ask("SELECT @@time_zone")) == "+00:00"
        assert "STRICT_ALL_TABLES" in str(await database.write(ask("SELECT @@sql_mode")))


async def test_value_that_does_not_fit_is_refused_not_cut(mysql: MysqlServer) -> None:
    async with opened(mysql) as database:
        with pytest.raises(DataError):
            await database.write(note("x" * 65))


async def test_reading_work_sees_one_snapshot_while_others_commit(mysql: MysqlServer) -> None:
    async with opened(mysql) as database:
        await database.write(note("a"))
        first_look, go_on = asyncio.Event(), asyncio.Event()

        def read_twice(tx: Connection) -> list[int]:

            before = len(tx.execute(NOTES.select()).all())
            first_look.set()
            await_(go_on.wait())
            return [before, len(tx.execute(NOTES.select()).all())]

        reading = asyncio.ensure_future(database.read(read_twice))
        await first_look.wait()
        await database.write(note("b"))
        go_on.set()
        assert await reading == [1, 1]
        assert await notes(database) == ["a", "b"]


async def test_short_lock_of_another_process_is_waited_out(mysql: MysqlServer) -> None:
    async with opened(mysql) as database, other_holding(mysql, database) as release:
        waiting = asyncio.ensure_future(database.write(rename(1, "patient")))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert await notes(database) == ["kept"]  # Readers are never locked out.
        release.set()
        await waiting
        assert await notes(database) == ["patient"]


async def test_long_lock_of_another_process_is_a_clear_error(mysql: MysqlServer) -> None:
    limits = Limits(lock_s=1)
    async with opened(mysql, limits) as database, other_holding(mysql, database) as release:
        with pytest.raises(StoreLocked, match="another process holds what this one needs"):
            await database.write(rename(1, "refused"))
        release.set()
        await database.write(rename(1, "afterwards"))
        assert await notes(database) == ["afterwards"]


async def test_deadlock_costs_neither_side_its_work(mysql: MysqlServer) -> None:
    """Both take one row, meet, and want the other's: the server takes one back, it runs again."""
    async with opened(mysql) as database:
        await database.write(note("a"))
        await database.write(note("b"))
        met = asyncio.Barrier(2)
        runs: list[int] = []

        def crossing(first: int, second: int) -> Callable[[Connection], None]:

            def cross(tx: Connection) -> None:
                runs.append(first)
                rename(first, f"{first} by {first}")(tx)
                if len(runs) <= 2:
                    await_(met.wait())
                rename(second, f"{second} by {first}")(tx)

            return cross

        async with at(url_of(database)) as other:
            await asyncio.gather(database.write(crossing(1, 2)), other.write(crossing(2, 1)))
        assert len(runs) == 3  # The one that lost ran twice.
        assert sorted(await notes(database)) in (["1 by 1", "2 by 1"], ["1 by 2", "2 by 2"])


async def test_statement_that_takes_too_long_ends_on_the_server_too(mysql: MysqlServer) -> None:
    async with opened(mysql, SMALL) as database:
        with pytest.raises(StoreBusy, match="took longer than it may"):
            await database.read(ask("SELECT SLEEP(30)"))
        with pytest.raises(StoreBusy, match="took longer than it may"):
            await database.write(ask("SELECT SLEEP(30)"))
        await database.write(note("next"))
        assert await sleepers(mysql) == 0


async def test_work_whose_callers_have_left_is_ended_on_the_server_too(mysql: MysqlServer) -> None:
    async with opened(mysql) as database:
        for work in (database.read(ask("SELECT SLEEP(29)")), database.write(ask("DO SLEEP(29)"))):
            leaving = asyncio.ensure_future(work)
            await until(lambda: sleepers(mysql), 1)
            leaving.cancel()
            await asyncio.wait([leaving])
            await database.write(note(f"{work}"[:60]))
            assert len(await notes(database)) > 0
            assert await sleepers(mysql) == 0


async def test_checkout_has_a_limit_and_says_so(mysql: MysqlServer) -> None:
    async with opened(mysql, SMALL) as database:
        long = [asyncio.ensure_future(database.read(ask("SELECT SLEEP(0.3)"))) for _ in range(2)]
        await until(lambda: sleepers(mysql), 2)
        with pytest.raises(StoreBusy, match=r"no connection became free within 0.1 s"):
            await notes(database)
        await asyncio.gather(*long)
        assert await notes(database) == []


async def test_pool_opens_no_more_than_it_may_and_keeps_no_more_than_it_should(
    mysql: MysqlServer,
) -> None:
    async with opened(mysql, Limits(pool=2, overflow=3)) as database:
        schema = url_of(database).rpartition("/")[2]
        query = f"SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{schema}'"
        await asyncio.gather(*[database.read(ask("SELECT SLEEP(0.05)")) for _ in range(8)])
        assert (await mysql.execute(query))[0][0] == 2  # The writer's, and one reader's.


async def test_read_only_server_is_a_clear_error_and_reads_go_on(mysql: MysqlServer) -> None:
    async with opened(mysql) as admin, at(await plain_user(mysql, admin)) as database:
        await admin.write(note("kept"))
        await mysql.execute("SET GLOBAL read_only = 1")
        try:
            with pytest.raises(StoreReadOnly, match="make the server writable"):
                await database.write(note("refused"))
            assert await notes(database) == ["kept"]
        finally:
            await mysql.execute("SET GLOBAL read_only = 0")
        await database.write(note("again"))
        assert await notes(database) == ["kept", "again"]


async def test_full_table_is_a_clear_error_and_loses_nothing(mysql: MysqlServer) -> None:
    async with opened(mysql) as database:
        await database.write(do("SET SESSION max_heap_table_size=16384"))
        await database.write(do("CREATE TABLE small (body VARCHAR(200)) ENGINE=MEMORY"))
        fill = " UNION ALL ".join(["SELECT REPEAT('x', 200)"] * 200)
        with pytest.raises(StoreFull, match="free disk space"):
            await database.write(both(note("refused"), do(f"INSERT INTO small {fill}")))
        assert await notes(database) == []


async def test_user_who_may_not_enter_is_told_why(mysql: MysqlServer) -> None:
    url = await mysql.fresh()
    host = url.rpartition("@")[2]
    async with at(f"mysql+aiomysql://nobody:here@{host}") as database:
        with pytest.raises(StoreError, match="Access denied for user 'nobody'"):
            await database.write(note("refused"))


async def test_server_that_is_not_there_is_a_clear_error() -> None:
    async with at("mysql+aiomysql://ana:word@127.0.0.1:1/books") as database:
        with pytest.raises(StoreError, match="Can't connect to MySQL server"):
            await database.write(note("refused"))


async def test_many_rows_travel_in_few_packets(mysql: MysqlServer) -> None:
    async with opened(mysql) as database:
        rows = [{"text": f"{i}", "parent": None} for i in range(100)]
        statement = NOTES.insert()
        await database.write(lambda tx: tx.execute(statement, rows[:50]))
        before = await questions(database)
        await database.write(lambda tx: tx.execute(statement, rows[50:]))
        assert await questions(database) - before <= 6
        changes = [{"row": i, "text": f"new {i}"} for i in range(1, 101)]

        change = update(NOTES).where(NOTES.c.id == bindparam("row"))
        counted = [
            await database.write(lambda tx: tx.execute(change, changes).rowcount) for _ in "12"
        ]
        assert counted == [100, 100]  # Found, whether they differed or not: as SQLite counts.
        assert (await notes(database))[99] == "new 100"


async def questions(database: Database) -> int:
    def read(tx: Connection) -> int:
        return int(tx.execute(text("SHOW SESSION STATUS LIKE 'Questions'")).one()[1])

    return await database.write(read)


def do(words: str) -> Callable[[Connection], None]:
    return lambda tx: tx.execute(text(words)).close()


def both(first: Work, second: Work) -> Work:
    def work(tx: Connection) -> None:
        first(tx)
        second(tx)

    return work


def url_of(database: Database) -> str:
    return str(database._backend._url)  # type: ignore[attr-defined]


async def plain_user(mysql: MysqlServer, admin: Database) -> str:
    """Return the URL of the same schema for one whom `read_only` binds."""
    host, _, schema = url_of(admin).rpartition("@")[2].partition("/")
    await mysql.execute(
        "CREATE USER IF NOT EXISTS plain IDENTIFIED BY 'word'",
        f"GRANT ALL ON {schema}.* TO plain",
    )
    return f"mysql+aiomysql://plain:word@{host}/{schema}"


async def sleepers(mysql: MysqlServer) -> int:
    query = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(%'"
    return int((await mysql.execute(query + " AND id <> CONNECTION_ID()"))[0][0])


async def until(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    for _ in range(1_000):
        if await count() == wanted:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"it never became {wanted}")


@asynccontextmanager
async def other_holding(mysql: MysqlServer, database: Database) -> AsyncIterator[asyncio.Event]:
    """Let another process hold the only note, from before the block until the event is set."""

    await database.write(note("kept"))
    held, release = asyncio.Event(), asyncio.Event()

    def hold(tx: Connection) -> None:
        tx.execute(NOTES.select().where(NOTES.c.id == 1).with_for_update())
        held.set()
        await_(release.wait())

    async with at(url_of(database)) as other:
        holding = asyncio.ensure_future(other.write(hold))
        await held.wait()
        try:
            yield release
        finally:
            release.set()
            await holding
