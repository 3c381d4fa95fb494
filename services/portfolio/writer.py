"""The one writer of the books: nobody sees what is not committed."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection
from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.environment import Environment
from runtime.stores import become_writer
from runtime.times import NS_PER_S, to_timestamp
from services.portfolio import store, tables, wire
from services.portfolio.books import Books
from services.portfolio.migrations import HISTORY
from services.portfolio.refusals import PortfolioRefused
from services.portfolio.shortfalls import Shortfalls
from services.portfolio.watching import Watchers


class Writer:
    """Owns the books. Everybody who reads or changes them does so within `opened`, alone.

    After a commit that failed, or whose answer was lost, they are read anew before anybody
    sees them again.
    """

    def __init__(
        self, environment: Environment, watchers: Watchers, shortfalls: Shortfalls
    ) -> None:
        self.books = Books()
        self._environment = environment
        self._watchers = watchers
        self._shortfalls = shortfalls
        self._lock = asyncio.Lock()
        self._is_current = False
        self._extremes: dict[str, tuple[int, int, int]] = {}  # Second, lowest, highest equity.

    async def start(self) -> None:
        """Create the tables and read the books."""
        database = self._environment.database
        await database.migrate(HISTORY)
        await become_writer(database, tables.epochs, "all")
        async with self.opened():
            pass

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Books, None]:
        """Give one caller at a time the books as they are committed."""
        async with self._lock:
            if not self._is_current:
                self.books = await self._environment.database.read(store.load)
                self._extremes = await self._environment.database.read(store.extremes)
                await self._shortfalls.read()
                self._watchers.sequence = self.books.sequence
                self._is_current = True
            try:
                yield self.books
            except PortfolioRefused:
                raise  # Refused before anything changed.
            except BaseException:
                self._is_current = False
                raise

    async def commit(
        self, work: Callable[[Connection], None], changed: Iterable[str], *, now_ns: int
    ) -> None:
        """Commit `work` with an equity point of each changed account, then tell the watchers.

        Call it within `opened`, after the books were changed to what `work` stores.
        """
        accounts = [name for name in dict.fromkeys(changed) if name in self.books.accounts]
        points = [self._point(account, now_ns) for account in accounts]
        crossings = self._shortfalls.crossings(self.books, accounts)

        def store_all(tx: Connection) -> None:
            work(tx)
            store.put_points(tx, points)
            store.put_shortfalls(tx, crossings)

        writing = asyncio.ensure_future(self._environment.database.write(store_all))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])  # Nobody may read before it is in or out.
            raise
        self._shortfalls.note(crossings)
        self._watchers.tell(accounts, self.books.sequence)

    def snapshot(self, account: str) -> pb.PortfolioSnapshot:
        """Return the money of a known account now; call it within `opened`."""
        now_ns = self._environment.clock.now_ns()
        books, facts = self.books, self.books.accounts[account]
        found = books.totals(account, now_ns)
        message = wire.snapshot(account, found, facts.currency, books.cash(account))
        message.as_of.CopyFrom(to_timestamp(now_ns))
        message.sequence = facts.sequence
        message.order_event_sequence = books.event_sequence
        return message

    def _point(self, account: str, now_ns: int) -> dict[str, Any]:
        """Return the equity point of this second: its extremes, and the money at its last."""
        snapshot = self.snapshot(account)
        equity = wire.minor_of(snapshot.equity)
        second = now_ns // NS_PER_S
        known, low, high = self._extremes.get(account, (second, equity, equity))
        if known != second:
            low = high = equity
        low, high = min(low, equity), max(high, equity)
        self._extremes[account] = (second, low, high)
        return {
            "account": account,
            "second": second,
            "equity_low_minor": low,
            "equity_high_minor": high,
            "time_ns": now_ns,
            "snapshot": snapshot.SerializeToString(),
        }
