"""Who follows which account: each subscriber gets the newest state, at most five a second."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence

from trading.portfolio.v1 import portfolio_pb2 as pb

HEARTBEAT_S = 1.0
PAUSE_S = 0.2
Snapshots = Callable[[Sequence[str]], Awaitable[Sequence[pb.PortfolioSnapshot]]]


class Watchers:
    """The open watches; `tell` them which accounts changed, and after which journal."""

    def __init__(self) -> None:
        self.sequence = 0
        self._watches: list[_Watch] = []
        self._is_closed = False

    def tell(self, accounts: Sequence[str], sequence: int) -> None:
        """Note that `accounts` changed, the last of them by journal `sequence`."""
        self.sequence = sequence
        for watch in self._watches:
            watch.note(accounts)

    def close(self) -> None:
        """End every watch."""
        self._is_closed = True
        for watch in self._watches:
            watch.news.set()

    async def watch(
        self, account: str, first: Iterable[str], snapshots: Snapshots
    ) -> AsyncGenerator[pb.WatchPortfolioResponse, None]:
        """Yield a heartbeat, then the accounts in `first`, then every change of `account`."""
        watch = _Watch(account)
        watch.note(first)
        self._watches.append(watch)
        try:
            yield pb.WatchPortfolioResponse(sequence=self.sequence, is_heartbeat=True)
            while not self._is_closed:
                if not await watch.changed():
                    yield pb.WatchPortfolioResponse(sequence=self.sequence, is_heartbeat=True)
                    continue
                for found in await snapshots(watch.taken()):
                    yield pb.WatchPortfolioResponse(sequence=found.sequence, portfolio=found)
                await asyncio.sleep(PAUSE_S)  # What changes meanwhile goes together.
        finally:
            self._watches.remove(watch)


class _Watch:
    """One subscriber: the accounts that changed since it was told."""

    def __init__(self, account: str) -> None:
        self.news = asyncio.Event()
        self._account = account
        self._changed: dict[str, None] = {}

    def note(self, accounts: Iterable[str]) -> None:
        wanted = [name for name in accounts if self._account in ("", name)]
        self._changed |= dict.fromkeys(wanted)
        if wanted:
            self.news.set()

    async def changed(self) -> bool:
        """Return whether something changed within a heartbeat."""
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await self.news.wait()
        except TimeoutError:
            return False
        return True

    def taken(self) -> list[str]:
        """Return what changed, and forget it."""
        self.news.clear()
        changed, self._changed = list(self._changed), {}
        return changed
