"""What risk asks its peers for when it does not know: prices, instruments, cash, strategies."""

import asyncio
from typing import Protocol

from grpc import StatusCode
from trading.marketdata.v1.marketdata_pb2 import (
    GetQuoteRequest,
    ListInstrumentsRequest,
    ListSessionsRequest,
)
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.portfolio.v1.portfolio_pb2 import GetPortfolioRequest, PortfolioSnapshot
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.strategy.v1.strategy_pb2 import GetStrategyRequest, StrategyState
from trading.strategy.v1.strategy_port import StrategyService

from runtime.atto import minor_from_text
from runtime.errors import ServiceError
from runtime.rpc import Call, P
from runtime.times import to_timestamp
from services.risk import store, wire
from services.risk.account import Account
from services.risk.book import Book
from services.risk.desk import Desk
from services.risk.sessions import AHEAD_NS

NO_SUCH_STRATEGY = "UNKNOWN"
PAGE_SIZE = 1_000
SESSIONS = 300  # More than a year of them.
QUOTED = (wire.NEVER_STALE_NS, wire.ALWAYS_STALE_NS)  # No candle came yet: ask again.


class Connect(Protocol):
    """Gives the service its client of a peer."""

    def __call__(self, port: type[P]) -> P:
        """Return a client of `port`."""


class Peers:
    """Completes the book. What a peer does not know stays missing, and fails its checks (K1)."""

    def __init__(
        self,
        desk: Desk,
        marketdata: MarketDataService,
        portfolio: PortfolioService,
        strategies: StrategyService,
    ) -> None:
        self._desk = desk
        self.marketdata = marketdata
        self.portfolio = portfolio
        self._strategies = strategies

    @classmethod
    def through(cls, connect: Connect, desk: Desk) -> "Peers":
        """Return the peers that `connect` gives."""
        return cls(
            desk,
            connect(MarketDataService),
            connect(PortfolioService),
            connect(StrategyService),
        )

    async def complete(
        self, account: str, instrument: str, call: Call, *, needs_quote: bool = False
    ) -> None:
        """Learn what a decision about `account` and `instrument` needs and nobody told yet.

        Raises the peer's error when it cannot be asked: nothing is decided then.
        """
        book = self._desk.state.book
        if instrument not in book.instruments:
            await self.read_instruments(call)
        if instrument in book.instruments:
            await self.cover(book.instruments[instrument].calendar, call)
        reference = book.references.get(instrument)
        if reference is None or needs_quote or reference.stale_after_ns in QUOTED:
            await self._read_quote(instrument, call)
        known = book.accounts.get(account)
        if known is None or known.transfers_minor is None:
            await self.read_cash(account, call)

    async def cover(self, calendar: str, call: Call = Call()) -> None:
        """Learn the sessions of a calendar around now, unless they are known."""
        calendars = self._desk.state.book.calendars
        now_ns = self._desk.environment.clock.now_ns()
        if not calendars.is_missing(calendar, now_ns):
            return
        request = ListSessionsRequest(
            calendar=calendar, from_time=to_timestamp(now_ns - AHEAD_NS), page_size=SESSIONS
        )
        try:
            found = await self.marketdata.list_sessions(request, call)
        except ServiceError as error:
            if error.code is StatusCode.INVALID_ARGUMENT:
                return  # Nobody knows this calendar: what needs it fails its check.
            raise
        calendars.known[calendar] = wire.sessions_of(found.sessions)

    async def read_instruments(self, call: Call) -> None:
        """Read what can be traded."""
        token, is_more = "", True
        while is_more:
            page = await self.marketdata.list_instruments(
                ListInstrumentsRequest(page_size=PAGE_SIZE, page_token=token), call
            )
            instruments = self._desk.state.book.instruments
            for spec in page.instruments:
                instruments[spec.instrument] = wire.instrument_of(spec)
            token = page.next_page_token
            is_more = bool(token)

    async def strategy_state(self, strategy_id: str, call: Call) -> str:
        """Return the state of a strategy by its name, such as "RUNNING"."""
        request = GetStrategyRequest(strategy_id=strategy_id)
        try:
            found = (await self._strategies.get_strategy(request, call)).strategy
        except ServiceError as error:
            if error.code is StatusCode.NOT_FOUND:
                return NO_SUCH_STRATEGY
            raise
        return StrategyState.Name(found.state).removeprefix("STRATEGY_STATE_")

    async def read_cash(self, account: str, call: Call) -> None:
        """Learn what an account was paid; one that the ledger does not know stays missing."""
        try:
            found = await self.portfolio.get_portfolio(GetPortfolioRequest(account=account), call)
        except ServiceError as error:
            if error.code is StatusCode.NOT_FOUND:
                return
            raise
        book, now_ns = (await self._desk.ready()).book, self._desk.environment.clock.now_ns()
        funded, _ = fund(book, found.portfolio, now_ns)
        book.observe(funded, now_ns)
        await asyncio.shield(self._desk.commit(lambda tx: store.put_states(tx, [funded])))

    async def _read_quote(self, instrument: str, call: Call) -> None:
        try:
            found = await self.marketdata.get_quote(GetQuoteRequest(instrument=instrument), call)
        except ServiceError as error:
            if error.code is StatusCode.NOT_FOUND:
                return
            raise
        reference = wire.reference_in(found.quote, is_stale=found.is_stale)
        now_ns = self._desk.environment.clock.now_ns()
        book = (await self._desk.ready()).book
        if reference is not None and reference != book.references.get(instrument):
            book.mark(instrument, reference, now_ns)
            newest = {instrument: reference}
            await asyncio.shield(self._desk.commit(lambda tx: store.put_marks(tx, newest)))


def fund(book: Book, snapshot: PortfolioSnapshot, now_ns: int) -> tuple[Account, bool]:
    """Take over what an account was paid; return it, and whether that was news.

    What its trades brought is counted here, in step with positions and holds.
    """
    transfers, known = snapshot.net_transfers, book.account(snapshot.account).transfers_minor
    units = minor_from_text(transfers.amount.value, transfers.currency)
    currency = snapshot.currency
    account = book.fund(snapshot.account, currency=currency, transfers_minor=units, now_ns=now_ns)
    return account, units != known
