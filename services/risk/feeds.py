"""Follows prices and cash: marks every confirmed candle, knows every transfer (K6)."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from sqlalchemy import Connection
from trading.marketdata.v1.marketdata_pb2 import WatchCandlesRequest, WatchCandlesResponse
from trading.portfolio.v1.portfolio_pb2 import WatchPortfolioRequest, WatchPortfolioResponse
from trading.types.v1 import risk_pb2 as types
from trading.types.v1.risk_pb2 import RiskEvent

from runtime.follow import Following, follow, seen
from services.risk import store, wire
from services.risk.account import MINUTE_NS, Account
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
            for account in book.mark(instrument, reference):
                account.note_equity(now_ns)

    async def _take_candles(self, items: Sequence[WatchCandlesResponse]) -> None:
        state = await self._desk.ready()
        sequence = max(state.cursors.get(store.CANDLES, 0), seen(items))
        if sequence > state.cursors.get(store.CANDLES, 0):
            await self._mark(state, _references(items), sequence)
        self._desk.environment.progress.has_read(store.CANDLES, sequence)

    async def _mark(self, state: State, references: dict[str, Reference], sequence: int) -> None:
        now_ns = self._desk.environment.clock.now_ns()
        touched: dict[str, Account] = {}
        newer: dict[str, Reference] = {}
        for instrument, reference in references.items():
            known = state.book.references.get(instrument)
            if known is None or known.time_ns <= reference.time_ns:  # Backfill is of the past.
                newer[instrument] = reference
                touched |= {a.name: a for a in state.book.mark(instrument, reference)}
        for account in touched.values():
            account.note_equity(now_ns)
        state.cursors[store.CANDLES] = sequence

        def work(tx: Connection) -> None:
            store.put_marks(tx, newer)
            store.put_states(tx, touched.values())
            store.move(tx, store.CANDLES, sequence)

        stuck = [self._desk.event(event) for event in _stuck(state, now_ns)]
        await asyncio.shield(self._desk.commit(work, stuck))

    async def _take_cash(self, items: Sequence[WatchPortfolioResponse]) -> None:
        snapshots = [item.portfolio for item in items if not item.is_heartbeat]
        if not snapshots:
            return
        state = await self._desk.ready()
        now_ns = self._desk.environment.clock.now_ns()
        changed = [fund(state.book, snapshot) for snapshot in snapshots]
        funded = {account.name: account for account, is_new in changed if is_new}
        for account in funded.values():
            account.note_equity(now_ns)
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


def _stuck(state: State, now_ns: int) -> list[RiskEvent]:
    """Return an event for each hold that no order event followed for a minute (K2), once."""
    stuck = [name for name, since in state.unconfirmed.items() if since <= now_ns - MINUTE_NS]
    for name in stuck:
        del state.unconfirmed[name]
    return [
        RiskEvent(
            kind=types.RISK_EVENT_KIND_HOLD_STUCK,
            scope=f"account:{account}",
            observed=f"order {client_order_id} was approved, and nothing was heard of it",
            limit="60 s",
            severity=types.SEVERITY_WARNING,
        )
        for account, client_order_id in stuck
    ]
