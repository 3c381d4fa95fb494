"""The portfolio as a service: converts, calls the domain and the store, answers."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from trading.exchange.v1.exchange_port import ExchangeService
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.portfolio.v1 import portfolio_pb2 as pb
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.risk.v1.risk_port import RiskService

from runtime.environment import Environment
from runtime.paging import place_of, size_of, token_of
from runtime.rpc import Call, P
from runtime.times import to_ns
from services.portfolio import journals, store, wire
from services.portfolio.books import Books
from services.portfolio.posting import Posting
from services.portfolio.prices import Prices
from services.portfolio.reconciling import Reconciling
from services.portfolio.refusals import PortfolioRefused, refusals_as_status
from services.portfolio.shortfalls import Shortfalls
from services.portfolio.transfers import Transfers
from services.portfolio.valuation import value_of
from services.portfolio.watching import Watchers
from services.portfolio.writer import Writer

XSIM = "XSIM"  # The one venue of the first depth.


class Connect(Protocol):
    """Gives the service its client of a peer."""

    def __call__(self, port: type[P]) -> P:
        """Return a client of `port`."""


class Portfolio(PortfolioService):
    """Keeps the ledger, and values it with market data's prices."""

    def __init__(self, environment: Environment, connect: Connect) -> None:
        marketdata = connect(MarketDataService)
        self._environment = environment
        self._watchers = Watchers()
        self._shortfalls = Shortfalls(environment, connect(RiskService))
        self._writer = Writer(environment, self._watchers, self._shortfalls)
        self._prices = Prices(environment, self._writer, marketdata)
        self._posting = Posting(environment, self._writer, marketdata)
        self._transfers = Transfers(environment, self._writer)
        venues = {XSIM: connect(ExchangeService)}
        self._reconciling = Reconciling(environment, self._writer, venues)

    async def start(self) -> None:
        """Read the books as they were committed last, and follow prices."""
        await self._writer.start()
        async with self._writer.opened() as books:
            self._environment.progress.has_read(store.ORDER_EVENTS, books.event_sequence)
            self._environment.progress.has_read(store.CANDLES, books.candle_sequence)
        self._environment.tasks.spawn(self._prices.run(), name="prices")
        self._environment.tasks.spawn(self._shortfalls.run(), name="shortfalls")

    async def stop(self) -> None:
        """End watches and what runs for callers; what was committed stays."""
        self._watchers.close()
        await self._transfers.stop()
        await self._reconciling.stop()
        await self._environment.tasks.stop()

    async def report_order_events(
        self, request: pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> pb.ReportOrderEventsResponse:
        """Book the fills among order events; see the contract."""
        with refusals_as_status():
            last = await self._posting.post(request.events)
        return pb.ReportOrderEventsResponse(last_sequence=last)

    async def transfer_cash(
        self, request: pb.TransferCashRequest, call: Call = Call()
    ) -> pb.TransferCashResponse:
        """Book cash paid in or out; see the contract."""
        with refusals_as_status():
            return await self._transfers.transfer(request)

    async def get_portfolio(
        self, request: pb.GetPortfolioRequest, call: Call = Call()
    ) -> pb.GetPortfolioResponse:
        """Return an account's money now or then; see the contract."""
        with refusals_as_status():
            async with self._writer.opened() as books:
                _check_known(books, request.account)
                first_ns = books.accounts[request.account].first_ns
                now = self._writer.snapshot(request.account)
            if not request.HasField("as_of"):
                return pb.GetPortfolioResponse(portfolio=now)
            return await self._past(request.account, to_ns(request.as_of), first_ns)

    async def list_positions(
        self, request: pb.ListPositionsRequest, call: Call = Call()
    ) -> pb.ListPositionsResponse:
        """Return an account's positions by instrument; see the contract."""
        with refusals_as_status():
            behind = place_of(request, request.page_token)
        async with self._writer.opened() as books:
            facts = books.accounts.get(request.account)
            names = sorted(name for name in (facts.instruments if facts else ()) if name > behind)
            if not request.is_closed_included:
                names = [n for n in names if books.position(request.account, n).quantity_atto]
            page = names[: size_of(request.page_size)]
            positions = [self._position(books, request.account, name) for name in page]
        is_more = len(names) > len(page)
        token = token_of(request, page[-1]) if is_more else ""
        return pb.ListPositionsResponse(positions=positions, next_page_token=token)

    async def get_position(
        self, request: pb.GetPositionRequest, call: Call = Call()
    ) -> pb.GetPositionResponse:
        """Return one position, flat when it was never traded; see the contract."""
        async with self._writer.opened() as books:
            position = self._position(books, request.account, request.instrument)
        return pb.GetPositionResponse(position=position)

    async def list_journals(
        self, request: pb.ListJournalsRequest, call: Call = Call()
    ) -> pb.ListJournalsResponse:
        """Return an account's journals in sequence order; see the contract."""
        with refusals_as_status():
            behind = int(place_of(request, request.page_token) or 0)
        first, count = max(request.from_sequence, behind + 1), size_of(request.page_size)
        found = await self._environment.database.read(
            lambda tx: journals.journals_from(
                tx, request.account, request.ledger_account, first=first, count=count + 1
            )
        )
        page = found[:count]
        token = token_of(request, str(page[-1][0])) if len(found) > count else ""
        messages = [wire.journal_message(sequence, journal) for sequence, journal in page]
        return pb.ListJournalsResponse(journals=messages, next_page_token=token)

    async def watch_portfolio(
        self, request: pb.WatchPortfolioRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchPortfolioResponse, None]:
        """Stream an account's money whenever it changed; see the contract."""
        async with self._writer.opened() as books:
            after = request.after_sequence
            first = [name for name, facts in books.accounts.items() if facts.sequence > after]
        changes = self._watchers.watch(request.account, first, self._snapshots)
        async with aclosing(changes):
            async for change in changes:
                yield change

    async def reconcile_positions(
        self, request: pb.ReconcilePositionsRequest, call: Call = Call()
    ) -> pb.ReconcilePositionsResponse:
        """Return where positions differ from the venue's; see the contract."""
        with refusals_as_status():
            return await self._reconciling.reconcile(request, call)

    async def _snapshots(self, accounts: Sequence[str]) -> list[pb.PortfolioSnapshot]:
        async with self._writer.opened():
            return [self._writer.snapshot(account) for account in accounts]

    async def _past(self, account: str, time_ns: int, first_ns: int) -> pb.GetPortfolioResponse:
        body = None
        if time_ns >= first_ns:
            body = await self._environment.database.read(
                lambda tx: store.point_at(tx, account, time_ns)
            )
        if body is None:
            raise PortfolioRefused(
                pb.PORTFOLIO_REFUSAL_REASON_BEFORE_FIRST_JOURNAL,
                f"nothing was booked for account {account} by then: ask for a later instant",
            )
        return pb.GetPortfolioResponse(portfolio=pb.PortfolioSnapshot.FromString(body))

    def _position(self, books: Books, account: str, instrument: str) -> pb.Position:
        position = books.position(account, instrument)
        currency = books.currency_of(account, instrument) or "XXX"
        mark = books.marks.get(instrument)
        now_ns = self._environment.clock.now_ns()
        value = value_of(position, mark, currency=currency, now_ns=now_ns)
        return wire.position_message((account, instrument), position, currency, mark, value)


def _check_known(books: Books, account: str) -> None:
    if account not in books.accounts:
        raise PortfolioRefused(
            pb.PORTFOLIO_REFUSAL_REASON_ACCOUNT_UNKNOWN,
            f"nothing was ever booked for account {account}: transfer cash to open it",
        )
