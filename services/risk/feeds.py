"""Follows prices and cash: marks every confirmed candle, knows every transfer (K6)."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from sqlalchemy import Connection
from trading.marketdata.v1.marketdata_pb2 import WatchCandlesRequest, WatchCandlesResponse
from trading.portfolio.v1.portfolio_pb2 import WatchPortfolioRequest, WatchPortfolioResponse

from runtime.errors import ServiceError
from runtime.follow import Following, follow, seen
from services.risk import store, wire
from services.risk.account import Account
from services.risk.desk import Desk, State
from services.risk.peers import Peers, fund
from services.risk.rules import Reference


class Feeds:
    """Keeps references, cash and equity in the book as they change."""

    def __init__(self, desk: Desk, peers: Peers) -> None:
        self._desk = desk
        self._peers = peers

    async def follow_prices(self) -> None:
        """Follow until cancelled, from behind the last candle that is committed."""
        after = (await self._desk.ready()).cursors.get(store.CANDLES, 0)
        following = Following(
            "candles for risk", self._watch_candles, self._take_candles, self._see_candle
        )
        await follow(following, after=after, rng=self._desk.environment.rng)

    async def follow_cash(self) -> None:
        """Follow until cancelled; every account is sent anew each time the stream is opened."""
        following = Following("cash for risk", self._watch_cash, self._take_cash)
        await follow(following, after=0, rng=self._desk.environment.rng)

    def _watch_candles(self, after: int) -> AsyncGenerator[WatchCandlesResponse, None]:
        request = WatchCandlesRequest(after_sequence=after)
        return self._peers.marketdata.watch_candles(request)

    def _watch_cash(self, after: int) -> AsyncGenerator[WatchPortfolioResponse, None]:
        return self._peers.portfolio.watch_portfolio(WatchPortfolioRequest())

    def _see_candle(self, item: WatchCandlesResponse) -> None:
        """Let the next decision use the price; it is committed with the batch."""
        book, now_ns = self._desk.state.book, self._desk.environment.clock.now_ns()
        for instrument, reference in _references([item]).items():
            for account in book.mark(instrument, reference, now_ns):
                book.observe(account, now_ns)

    async def _take_candles(self, items: Sequence[WatchCandlesResponse]) -> None:
        state = await self._desk.ready()
        sequence = max(state.cursors.get(store.CANDLES, 0), seen(items))
        if sequence > state.cursors.get(store.CANDLES, 0):
            await self._cover(state)
            await self._mark(state, _references(items), sequence)
        self._desk.environment.progress.has_read(store.CANDLES, sequence)

    async def _cover(self, state: State) -> None:
        """Know the sessions of every account, so that its day can begin."""
        calendars = [state.book.calendar_of(each) for each in state.book.accounts.values()]
        for calendar in dict.fromkeys(calendars):
            with suppress(ServiceError):  # The day of trading waits until they are known.
                await self._peers.cover(calendar)

    async def _mark(self, state: State, references: dict[str, Reference], sequence: int) -> None:
        now_ns = self._desk.environment.clock.now_ns()
        touched: dict[str, Account] = {}
        newer: dict[str, Reference] = {}
        for instrument, reference in references.items():
            known = state.book.references.get(instrument)
            if known is None or known.time_ns <= reference.time_ns:  # Backfill is of the past.
                newer[instrument] = reference
                marked = state.book.mark(instrument, reference, now_ns)
                touched |= {account.name: account for account in marked}
        for account in touched.values():
            state.book.observe(account, now_ns)
        state.cursors[store.CANDLES] = sequence

        def work(tx: Connection) -> None:
            store.put_marks(tx, newer)
            store.put_states(tx, touched.values())
            store.move(tx, store.CANDLES, sequence)

        await asyncio.shield(self._desk.commit(work))

    async def _take_cash(self, items: Sequence[WatchPortfolioResponse]) -> None:
        snapshots = [item.portfolio for item in items if not item.is_heartbeat]
        if not snapshots:
            return
        state = await self._desk.ready()
        now_ns = self._desk.environment.clock.now_ns()
        changed = [fund(state.book, snapshot, now_ns) for snapshot in snapshots]
        funded = {account.name: account for account, is_new in changed if is_new}
        for account in funded.values():
            state.book.observe(account, now_ns)
        if funded:
            writing = self._desk.commit(lambda tx: store.put_states(tx, funded.values()))
            await asyncio.shield(writing)


def _references(items: Sequence[WatchCandlesResponse]) -> dict[str, Reference]:
    """Return the newest price of each instrument in a batch."""
    found: dict[str, Reference] = {}
    for item in items:
        if item.HasField("candle") and item.candle.is_confirmed:
            reference, instrument = wire.reference_of(item.candle), item.candle.instrument
            if instrument not in found or found[instrument].time_ns <= reference.time_ns:
                found[instrument] = reference
    return found
