"""What risk asks its peers for when it does not know: prices, instruments, cash, strategies."""

import asyncio

from grpc import StatusCode
from trading.marketdata.v1.marketdata_pb2 import GetQuoteRequest, ListInstrumentsRequest
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.portfolio.v1.portfolio_pb2 import GetPortfolioRequest, PortfolioSnapshot
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.strategy.v1.strategy_pb2 import GetStrategyRequest, StrategyState
from trading.strategy.v1.strategy_port import StrategyService

from runtime.atto import minor_from_text
from runtime.errors import ServiceError
from runtime.rpc import Call
from services.risk import store, wire
from services.risk.account import Account
from services.risk.book import Book
from services.risk.desk import Desk

NO_SUCH_STRATEGY = "UNKNOWN"
PAGE_SIZE = 1_000


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

    async def complete(self, account: str, instrument: str, call: Call) -> None:
        """Learn what a decision about `account` and `instrument` needs and nobody told yet.

        Raises the peer's error when it cannot be asked: nothing is decided then.
        """
        book = self._desk.state.book
        if instrument not in book.instruments:
            await self.read_instruments(call)
        if instrument not in book.references:
            await self._read_quote(instrument, call)
        known = book.accounts.get(account)
        if known is None or known.transfers_minor is None:
            await self._read_cash(account, call)

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

    async def _read_quote(self, instrument: str, call: Call) -> None:
        try:
            found = await self.marketdata.get_quote(GetQuoteRequest(instrument=instrument), call)
        except ServiceError as error:
            if error.code is StatusCode.NOT_FOUND:
                return
            raise
        reference = wire.reference_in(found.quote)
        if reference is not None:
            (await self._desk.ready()).book.mark(instrument, reference)
            newest = {instrument: reference}
            await asyncio.shield(self._desk.commit(lambda tx: store.put_marks(tx, newest)))

    async def _read_cash(self, account: str, call: Call) -> None:
        try:
            found = await self.portfolio.get_portfolio(GetPortfolioRequest(account=account), call)
        except ServiceError as error:
            if error.code is StatusCode.NOT_FOUND:
                return
            raise
        funded, _ = fund((await self._desk.ready()).book, found.portfolio)
        funded.note_equity(self._desk.environment.clock.now_ns())
        await asyncio.shield(self._desk.commit(lambda tx: store.put_states(tx, [funded])))


def fund(book: Book, snapshot: PortfolioSnapshot) -> tuple[Account, bool]:
    """Take over what an account was paid; return it, and whether that was news.

    What its trades brought is counted here, in step with positions and holds.
    """
    transfers, known = snapshot.net_transfers, book.account(snapshot.account).transfers_minor
    units = minor_from_text(transfers.amount.value, transfers.currency)
    account = book.fund(snapshot.account, currency=snapshot.currency, transfers_minor=units)
    return account, units != known
