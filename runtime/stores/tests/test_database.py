"""Every database keeps the same promises: one suite, three backends."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from runtime.errors import ServiceError
from runtime.stores import CommitUnknown, Database, StoreError, StoreFull
from runtime.stores.tests.mothers import NOTES, MysqlServer, note, notes, with_tables


class DatabaseSuite:
    async def opened(self, directory: Path) -> Database:
        raise NotImplementedError

    async def test_what_was_written_is_read(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        assert await database.write(note("first")) == 1
        assert await notes(database) == ["first"]
        await database.close()

    async def test_units_that_wait_together_share_commits_and_keep_their_order(
        self, tmp_path: Path
    ) -> None:
        database = await with_tables(await self.opened(tmp_path))
        database.faults.delay_s = 0.001  # So that the fast one also has something to wait for.
        commits: list[int] = []
        database.on_commit(lambda: commits.append(1))
        ids = await asyncio.gather(*[database.write(note(f"{i}")) for i in range(150)])
        assert ids == list(range(1, 151))
        assert len(commits) == 3  # 64 + 64 + 22.
        await database.close()

    async def test_unit_that_raises_takes_back_only_its_own_work(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        database.faults.delay_s = 0.001

        def half(tx: Connection) -> None:
            note("half")(tx)
            raise ValueError("changed my mind")

        ended = await asyncio.gather(
            database.write(note("a")),
            database.write(half),
            database.write(note("b")),
            database.write(note("a")),
            database.write(note("c")),
            return_exceptions=True,
        )
        assert [type(e) for e in ended] == [int, ValueError, int, IntegrityError, int]
        assert await notes(database) == ["a", "b", "c"]
        await database.close()

    async def test_lone_unit_that_raises_is_rolled_back(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))

        def half(tx: Connection) -> None:
            note("half")(tx)
            raise ValueError("changed my mind")

        with pytest.raises(ValueError, match="changed my mind"):
            await database.write(half)
        assert await notes(database) == []
        await database.close()

    async def test_caller_that_leaves_does_not_disturb_the_others(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        database.faults.delay_s = 0.02
        before, leaver, after = (
            asyncio.ensure_future(database.write(note(name)))
            for name in ("before", "leaver", "after")
        )
        await asyncio.sleep(0.01)  # The group is on its way.
        leaver.cancel()
        await asyncio.wait([before, leaver, after])
        assert leaver.cancelled()
        assert (before.result(), after.result()) == (1, 3)
        assert await notes(database) == ["before", "leaver", "after"]
        await database.close()

    async def test_foreign_key_is_enforced(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        with pytest.raises(IntegrityError):
            await database.write(note("orphan", parent=99))
        await database.close()

    async def test_reading_work_must_not_write(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        with pytest.raises(RuntimeError, match="give it to write"):
            await database.read(note("sneaky"))
        await database.close()

    async def test_closing_commits_what_is_queued_and_refuses_the_rest(
        self, tmp_path: Path
    ) -> None:
        database = await with_tables(await self.opened(tmp_path))
        database.faults.delay_s = 0.001
        queued = asyncio.ensure_future(database.write(note("queued")))
        await asyncio.sleep(0)
        await database.close()
        assert await queued == 1
        with pytest.raises(StoreError, match="closed"):
            await database.write(note("late"))

    async def test_full_disk_refuses_and_loses_nothing(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        await database.write(note("kept"))
        database.faults.is_full = True
        with pytest.raises(StoreFull, match="nothing was committed"):
            await database.write(note("refused"))
        database.faults.is_full = False
        await database.write(note("again"))
        assert await notes(database) == ["kept", "again"]
        await database.close()

    async def test_store_that_is_down_is_an_indefinite_service_error(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        database.faults.is_down = True
        with pytest.raises(ServiceError) as written:
            await database.write(note("refused"))
        with pytest.raises(ServiceError) as read:
            await notes(database)
        assert not written.value.definite
        assert (written.value.reason, read.value.reason) == ("STORE_UNAVAILABLE",) * 2
        await database.close()

    async def test_lost_answer_of_a_commit_leaves_the_work_done(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        database.faults.answers_to_lose = 1
        with pytest.raises(CommitUnknown):
            await database.write(note("done"))
        database.faults.commits_to_lose = 1
        with pytest.raises(CommitUnknown):
            await database.write(note("not done"))
        assert await notes(database) == ["done"]
        await database.close()

    async def test_crash_keeps_what_was_committed_and_loses_the_rest(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        await database.write(note("committed"))
        database.faults.delay_s = 10
        lost = asyncio.ensure_future(database.write(note("on its way")))
        queued = asyncio.ensure_future(database.write(note("queued")))
        await asyncio.sleep(0.001)
        survivor = database.crash()
        ended = await asyncio.gather(lost, queued, return_exceptions=True)
        assert all(isinstance(error, StoreError) for error in ended)
        assert await notes(survivor) == ["committed"]
        with pytest.raises(StoreError, match="crashed"):
            await database.write(note("of a dead process"))
        assert await survivor.write(note("next life")) == 2
        await survivor.close()

    async def test_bad_sql_reaches_its_author_unchanged(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        with pytest.raises(Exception, match=r"no such table|doesn't exist"):
            await database.write(lambda tx: tx.execute(text("insert into nowhere values (1)")))
        with pytest.raises(Exception, match=r"no such table|doesn't exist"):
            await database.read(lambda tx: tx.execute(text("select * from nowhere")).all())
        await database.close()

    async def test_texts_come_back_as_they_were(self, tmp_path: Path) -> None:
        database = await with_tables(await self.opened(tmp_path))
        ugly = ["%s %% ' \" \\ ; \n \0 é 💶 :name", " ", "", "naïve"]
        for name in ugly * 2:  # The first of a statement goes the ordinary way, then the short.
            await database.write(note(name + "!"))
            await database.write(lambda tx: tx.execute(NOTES.delete()))
        for name in ugly:
            await database.write(note(name + "!"))
        assert await notes(database) == [name + "!" for name in ugly]
        await database.close()


class TestInlineMemory(DatabaseSuite):
    async def opened(self, directory: Path) -> Database:
        return Database.inline_memory()

    async def test_write_takes_no_time_and_no_turn_of_the_loop(self) -> None:
        database = await with_tables(Database.inline_memory())
        turns: list[int] = []
        asyncio.get_running_loop().call_soon(turns.append, 1)
        await database.write(note("at once"))
        assert turns == []


@pytest.mark.real_time
class TestSqliteFile(DatabaseSuite):
    async def opened(self, directory: Path) -> Database:
        return Database.sqlite_file(directory / "notes.sqlite")


@pytest.mark.real_time
class TestMysql(DatabaseSuite):
    @pytest.fixture(autouse=True)
    def _on(self, mysql: MysqlServer) -> None:
        self.mysql = mysql

    async def opened(self, directory: Path) -> Database:
        return Database.at_url(await self.mysql.fresh())


def test_url_of_something_else_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="begins with postgresql, must begin with mysql"):
        Database.at_url("postgresql://ana@host/schema")
