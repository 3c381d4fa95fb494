"""What the simulated world may make a store do wrong."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from runtime.stores.backends import Backend
from runtime.stores.errors import (
    CommitUnknown,
    StoreDeadlock,
    StoreError,
    StoreFull,
    StoreReadOnly,
)


@dataclass(slots=True)
class StoreFaults:
    """The faults of one database; all off from the start. Change them at any time.

    `answers_to_lose`: so many next commits happen, but their callers get CommitUnknown.
    `commits_to_lose`: so many next commits do not happen, and their callers get CommitUnknown.
    `deadlocks`: so many next transactions are taken back for another's sake.
    `is_full`, `is_read_only`, `is_down`: every write (down: and read) is refused, nothing is
    committed. `delay_s`: every commit takes so long, in the loop's time. `resumed`: until it is
    set, whoever writes or reads waits. `past`: what reads see instead of what was committed.
    `fired` counts what each has done, by its name.
    """

    answers_to_lose: int = 0
    commits_to_lose: int = 0
    deadlocks: int = 0
    is_full: bool = False
    is_read_only: bool = False
    is_down: bool = False
    delay_s: float = 0.0
    resumed: asyncio.Event | None = None
    past: Backend | None = None
    fired: Counter[str] = field(default_factory=Counter)

    @property
    def is_any(self) -> bool:
        """Whether the next write must take notice."""
        return bool(
            self.answers_to_lose
            or self.commits_to_lose
            or self.deadlocks
            or self.is_full
            or self.is_read_only
            or self.is_down
            or self.delay_s
            or self.resumed
        )

    async def before_write(self) -> None:
        """Return when a transaction may begin. Raises StoreError when it may not."""
        await self._wait()
        if self.delay_s:
            self.fired["delay_s"] += 1
            await asyncio.sleep(self.delay_s)
        if self.is_down:
            self.fired["is_down"] += 1
            raise StoreError("the store is down: nothing was committed; repeat later")
        if self.is_read_only:
            self.fired["is_read_only"] += 1
            raise StoreReadOnly("the store takes no writes: nothing was committed; repeat later")
        if self.is_full:
            self.fired["is_full"] += 1
            raise StoreFull("the disk is full: nothing was committed; free space and repeat")
        if self.commits_to_lose:
            self.commits_to_lose -= 1
            self.fired["commits_to_lose"] += 1
            raise CommitUnknown("the answer of the commit was lost: read back")

    def at_commit(self) -> None:
        """Raise StoreDeadlock where the transaction is taken back."""
        if self.deadlocks:
            self.deadlocks -= 1
            self.fired["deadlocks"] += 1
            raise StoreDeadlock("two transactions wanted the same rows; repeat")

    def after_write(self) -> None:
        """Raise CommitUnknown where the answer of the commit is lost."""
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            self.fired["answers_to_lose"] += 1
            raise CommitUnknown("the answer of the commit was lost: read back")

    async def before_read(self) -> Backend | None:
        """Return what to read instead of the present, if so. Raises StoreError when down."""
        await self._wait()
        if self.is_down:
            self.fired["is_down"] += 1
            raise StoreError("the store is down: nothing can be read; repeat later")
        if self.past is not None:
            self.fired["past"] += 1
        return self.past

    async def _wait(self) -> None:
        while self.resumed is not None and not self.resumed.is_set():
            self.fired["resumed"] += 1
            await self.resumed.wait()
