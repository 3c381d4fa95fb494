"""One service's own database: group commit for writers, one snapshot for each reader."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from runtime.stores.backends import Backend, MemoryBackend, OnlyReads
from runtime.stores.errors import (
    CommitUnknown,
    FenceFailed,
    StoreBusy,
    StoreDeadlock,
    StoreError,
    cleared,
)
from runtime.stores.faults import StoreFaults
from runtime.stores.file_backend import FileBackend
from runtime.stores.group import Fence, Unit, UnitRaised, run_apart, run_behind, run_together
from runtime.stores.migrating.history import History
from runtime.stores.migrating.opening import open_schema

if TYPE_CHECKING:
    from runtime.stores.mysql_links import Limits

T = TypeVar("T")
GROUP_SIZE_MAX = 64
GATHER_S = 0.002
WAITING_MAX = 10_000  # Units of work; more is refused before it is begun.
DEADLOCK_PAUSES_S = (0.005, 0.01, 0.02, 0.04, 0.08)


class Database:
    """Keeps one service's tables; what `write` returned from is durable.

    `work` is a sync function of a SQLAlchemy Core `Connection`: it does nothing but SQL, and
    it may be run again when another unit of its group raised. It never begins or commits.
    For speed keep statements in module constants and pass values as parameters:
    `tx.execute(INSERT_ORDER, {"id": …})` costs a third of an `insert(t).values(…)` built anew.
    On a server what such a statement is refused for is raised when its outcome is looked at,
    by a later statement, or by `write`: whoever expects an error asks for the `rowcount`.
    """

    def __init__(self, backend: Backend) -> None:
        self.faults = StoreFaults()  # What the simulated world makes this store do wrong.
        self.transactions = 0  # How many were begun, or went on without a part taken back.
        self._backend = backend
        self._queue: deque[Unit] = deque()
        self._drainer: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._trouble_listeners: list[Callable[[StoreError], None]] = []
        self._closed = ""
        self._begin_at_s = 0.0  # No group that has company is begun before, in the loop's time.
        self._company = 0  # How many were in the last group.
        self._fence: Fence | None = None

    @classmethod
    def inline_memory(cls) -> "Database":
        """Return a database in this process's memory, run on the loop: for virtual time."""
        return cls(MemoryBackend())

    @classmethod
    def sqlite_file(cls, path: Path) -> "Database":
        """Return a database in one file: WAL, synchronous FULL, foreign keys enforced.

        Statements run on the loop (they touch memory), the commit with its fsync in a thread.
        """
        return cls(FileBackend(path))

    @classmethod
    def at_url(cls, url: str, limits: "Limits | None" = None) -> "Database":
        """Return a schema on a MySQL or MariaDB server: `mysql+aiomysql://user@host/schema`.

        READ COMMITTED, strict, in UTC; see `runtime.stores.mysql_backend`.
        """
        if not url.startswith("mysql+aiomysql://"):
            scheme = url.partition(":")[0]
            raise ValueError(f"the URL begins with {scheme}, must begin with mysql+aiomysql://")
        from runtime.stores.mysql_backend import MysqlBackend  # The driver takes 0.1 s to import.

        return cls(MysqlBackend(url, limits))

    @property
    def is_shared(self) -> bool:
        """Whether another process may write here too."""
        return self._backend.is_shared

    @property
    def is_ephemeral(self) -> bool:
        """Whether what it keeps is gone with this process."""
        return isinstance(self._backend, MemoryBackend)

    def on_trouble(self, listener: Callable[[StoreError], None]) -> None:
        """Call `listener` with every error of the store itself, before the caller gets it."""
        self._trouble_listeners.append(listener)

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit, before the writers of the group go on."""
        self._listeners.append(listener)

    def fence(self, check: Fence) -> None:
        """Let every later write begin with `check`, within its transaction.

        When it raises a ServiceError, the work fails with StoreFenced: so a writer that was
        superseded commits nothing any more. It is left out where no other process can write.
        """
        self._fence = check

    async def create(self, metadata: MetaData) -> None:
        """Create the tables of `metadata` that do not exist yet."""
        await self.write(metadata.create_all)

    async def migrate(self, history: History) -> None:
        """Bring the tables to the newest revision, or check that an administrator did.

        Rows stay. Raises SchemaError when a server's schema is at another revision.
        """
        self._check_usable()
        await open_schema(self._backend, history)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returned, after its transaction is committed.

        Units that wait together run in order in ONE transaction with one commit. What `work`
        raises is raised here and takes back only its own work. Raises StoreError when the
        store itself failed (nothing committed), CommitUnknown when only the answer was lost,
        StoreBusy when too much waits already. A caller that leaves does not disturb the others;
        its own work is not begun any more, or may or may not happen if it was.
        """
        self._check_usable()
        backend = self._backend
        is_idle = self._drainer is None and not self.faults.is_any
        if is_idle and isinstance(backend, MemoryBackend) and not backend.is_shared:
            return self._write_now(backend, work)
        if len(self._queue) >= WAITING_MAX:
            raise StoreBusy(f"{WAITING_MAX} units of work wait already: nothing was done; repeat")
        unit = Unit(work, asyncio.get_running_loop().create_future())
        self._queue.append(unit)
        if self._drainer is None:
            self._drainer = asyncio.create_task(self._drain(), name="group-commit")
        return await unit.answer  # type: ignore[no-any-return]

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` read, all of it from one snapshot of what is committed."""
        self._check_usable()
        try:
            backend = await self.faults.before_read() or self._backend
            return await backend.read(work)
        except Exception as error:
            if "readonly database" in str(error):
                raise OnlyReads from error
            if (trouble := self._told(cleared(error))) is error:
                raise
            raise trouble from error

    async def close(self) -> None:
        """Commit what is queued, then let go of the store; later calls are refused."""
        was_open, self._closed = not self._closed, self._closed or "closed"
        if self._drainer is not None:
            await asyncio.wait([self._drainer])
        if was_open:
            await self._backend.close()

    def crash(self) -> "Database":
        """Lose what is not committed; return what the next process finds.

        This handle is dead afterwards: whatever still runs of the old process cannot write.
        """
        self._closed = "crashed"
        if self._drainer is not None:
            self._drainer.cancel()
        for unit in self._queue:
            unit.fail(StoreError("the store crashed: nothing of this work was committed"))
        self._queue.clear()
        survivor = Database(self._backend.crash())
        survivor.faults = self.faults  # They are the store's, whoever uses it.
        return survivor

    def beside(self) -> "Database":
        """Return what another process has, that uses the same store while this one does."""
        other = Database(self._backend.beside())
        other.faults = self.faults
        return other

    def past(self) -> Backend:
        """Return a backend in memory that reads what is committed now, whatever is later."""
        assert isinstance(self._backend, MemoryBackend), "only what is in memory has a past"
        return self._backend.copy()

    def _told(self, error: Exception) -> Exception:
        """Return `error`, after telling who listens for trouble."""
        if isinstance(error, StoreError):
            for listener in self._trouble_listeners:
                listener(error)
        return error

    def _check_usable(self) -> None:
        if self._closed:
            raise StoreError(f"the store is {self._closed}: open a new one")

    def _write_now(self, backend: MemoryBackend, work: Callable[[Connection], T]) -> T:
        """Commit at once: in memory nothing is gained by waiting for company."""
        self.transactions += 1
        try:
            result = backend.transact_now(work)
        except Exception as error:
            if (trouble := self._told(cleared(error))) is error:
                raise
            raise trouble from error
        for listener in self._listeners:
            listener()
        return result

    async def _drain(self) -> None:
        """Commit group after group: what arrives during one commit makes the next group."""
        try:
            while self._queue:
                await self._gather()
                size = min(len(self._queue), GROUP_SIZE_MAX)
                taken = [self._queue.popleft() for _ in range(size)]
                units = [unit for unit in taken if not unit.answer.done()]  # Done: it has left.
                if units:
                    await self._commit(units)
        finally:
            self._drainer = None

    async def _gather(self) -> None:
        """Let company come, if there was some just now: 2 ms after the last group began (G1).

        So who comes alone never waits, and under load 500 commits a second carry everybody.
        """
        loop = asyncio.get_running_loop()
        left_s = self._begin_at_s - loop.time()
        has_company = self._company > 1 and not self.is_ephemeral
        if has_company and left_s > 0 and len(self._queue) < GROUP_SIZE_MAX:
            await asyncio.sleep(left_s)
        self._begin_at_s = loop.time() + GATHER_S
        self._company = len(self._queue)

    async def _commit(self, units: Sequence[Unit]) -> None:
        try:
            await self._run(units)
        except Exception as error:  # noqa: BLE001 - every caller of the group gets it.
            self._told(error)
            for unit in units:
                unit.fail(error)
            return
        except asyncio.CancelledError:
            for unit in units:
                unit.fail(CommitUnknown("the store crashed during the commit: read back"))
            raise
        for listener in self._listeners:
            listener()
        for unit in units:
            unit.finish()

    async def _run(self, units: Sequence[Unit]) -> None:
        await self.faults.before_write()
        await self._transact(units)
        self.faults.after_write()

    async def _transact(self, units: Sequence[Unit]) -> None:
        """Run a group; again after a deadlock, for which the server took all of it back."""
        for pause_s in (*DEADLOCK_PAUSES_S, None):
            try:
                await self._attempt(units)
            except StoreDeadlock:
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
            else:
                return

    async def _attempt(self, units: Sequence[Unit]) -> None:
        self.faults.at_commit()
        waiting = [unit.answer for unit in units]
        fence = self._fence if self.is_shared else None
        together = partial(run_together, units=units)
        apart = partial(run_apart, units=units, taken_back=self._count)
        if fence is not None:
            together = partial(run_behind, fence=fence.quickly, body=together)
            apart = partial(run_behind, fence=fence, body=apart)
        self._count()
        try:
            await self._backend.transact(together, waiting)
        except (UnitRaised, FenceFailed, DBAPIError) as error:
            if isinstance(error, DBAPIError) and len(units) == 1:
                raise
            self._count()
            await self._backend.transact(apart, waiting)

    def _count(self) -> None:
        self.transactions += 1
