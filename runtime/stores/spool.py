"""Keeps facts from outside on a local disk until their store is back, in order (S5)."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from runtime.clock import Clock
from runtime.stores.database import Database
from runtime.stores.errors import StoreError, StoreFull
from runtime.stores.standing import Waiting

DEPTH_MAX = 100_000
FREE_SHARE_MIN = 0.1  # Of the disk.
FACT_BYTES_MAX = 2**24 - 1

metadata = MetaData()
facts = Table(
    "facts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("arrived_ns", BigInteger, nullable=False),
    Column("fact", LargeBinary(FACT_BYTES_MAX), nullable=False),
    sqlite_autoincrement=True,  # An id is never used again, so id order is the order of arrival.
)
_INSERT = insert(facts)
_FIRST = select(facts.c.id, facts.c.fact).order_by(facts.c.id).limit(bindparam("count"))
_REMOVE = delete(facts).where(facts.c.id <= bindparam("until"))
_OLDEST = select(facts.c.arrived_ns).order_by(facts.c.id).limit(1)
_COUNT = select(func.count()).select_from(facts)


class Spool:
    """A queue of facts on a disk of this machine.

    What `append` returned from is on the disk, in the order of the calls. A fact is taken off
    only by `remove_until`, after its effect is committed elsewhere: a crash in between shows
    it again, so whoever applies facts must know those it has seen.
    """

    def __init__(
        self, database: Database, clock: Clock, free_share: Callable[[], float] = lambda: 1.0
    ) -> None:
        """Keep facts in `database`; `free_share` tells how much of its disk is free, 0 to 1."""
        self._database = database
        self._clock = clock
        self._free_share = free_share
        self._waiting = Waiting()
        self._taken = asyncio.Event()
        self._landed = asyncio.Event()  # An append has come to its end.

    async def open(self) -> None:
        """Find what a process before this one left."""
        await self._database.write(metadata.create_all)
        self._waiting = await self._database.read(_count)

    async def close(self) -> None:
        """Let go of the disk; what is spooled stays."""
        await self._database.close()

    def crash(self) -> "Spool":
        """Return what the next process finds, not opened yet."""
        return Spool(self._database.crash(), self._clock, self._free_share)

    @property
    def depth(self) -> int:
        """How many facts wait."""
        return self._waiting.depth

    def waiting(self) -> Waiting:
        """Return how many facts wait, and since when the oldest does."""
        return self._waiting

    def lacks_room(self) -> str:
        """Return why nothing more should be spooled; empty while there is room."""
        if self.depth >= DEPTH_MAX:
            return f"{self.depth} facts are spooled, at most {DEPTH_MAX} may be"
        if (share := self._free_share()) < FREE_SHARE_MIN:
            return f"{share:.0%} of the disk is free, {FREE_SHARE_MIN:.0%} must be"
        return ""

    async def append(self, fact: bytes) -> None:
        """Keep a fact behind those that are here; appends that wait together share one fsync.

        Raises StoreFull, keeping nothing, when there is no room: stop reading the source.
        """
        if why := self.lacks_room():
            raise StoreFull(f"the spool has no room: {why}; read the source again later")
        now_ns = self._clock.now_ns()
        oldest_ns = now_ns if self._waiting.oldest_ns is None else self._waiting.oldest_ns
        self._waiting = Waiting(self.depth + 1, oldest_ns)
        try:
            await self._database.write(
                lambda tx: tx.execute(_INSERT, {"arrived_ns": now_ns, "fact": fact})
            )
        except StoreError:
            self._left(self.depth - 1, oldest_ns)
            raise
        finally:
            self._landed.set()

    async def first(self, count: int) -> Sequence[tuple[int, bytes]]:
        """Return the oldest facts with their ids, in order; nothing only when nothing waits.

        Where all that waits is on its way to the disk still, return when that has landed.
        """
        while True:
            self._landed.clear()  # Before looking: what lands meanwhile is looked for again.
            rows = await self._database.read(lambda tx: tx.execute(_FIRST, {"count": count}).all())
            if rows or not self.depth:
                return [(row.id, row.fact) for row in rows]
            await self._landed.wait()

    async def remove_until(self, fact_id: int) -> None:
        """Forget the facts up to `fact_id`: their effect is committed."""

        def work(tx: Connection) -> tuple[int, int | None]:
            removed = tx.execute(_REMOVE, {"until": fact_id}).rowcount
            return removed, tx.execute(_OLDEST).scalar()

        removed, oldest_ns = await self._database.write(work)
        self._left(self.depth - removed, oldest_ns)  # One that is being appended is in neither.
        self._taken.set()

    async def room(self, patience_s: float) -> None:
        """Return when there may be room again: something was taken, or some time passed."""
        self._taken.clear()
        try:
            async with asyncio.timeout(patience_s):
                await self._taken.wait()
        except TimeoutError:
            return

    def _left(self, depth: int, oldest_ns: int | None) -> None:
        """Note what is left; the oldest may be on its way to the disk still."""
        since_ns = self._clock.now_ns() if oldest_ns is None else oldest_ns
        self._waiting = Waiting(depth, since_ns) if depth > 0 else Waiting()


def free_share_of(folder: Path) -> Callable[[], float]:
    """Return what tells how much of the disk under `folder` is free, 0 to 1."""

    def share() -> float:
        usage = shutil.disk_usage(folder)
        return usage.free / usage.total

    return share


def _count(tx: Connection) -> Waiting:
    depth = tx.execute(_COUNT).scalar() or 0
    return Waiting(depth, tx.execute(_OLDEST).scalar())
