"""Books order events: each once, in sequence, a whole batch in one transaction (G2)."""

from collections.abc import Sequence

from sqlalchemy import Connection
from trading.marketdata.v1.marketdata_pb2 import ListInstrumentsRequest
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.portfolio.v1 import portfolio_pb2 as pb
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.environment import Environment
from services.portfolio import journals, store, wire
from services.portfolio.booking import Anomaly, Booking, Kept, Key, Report, ReportKind
from services.portfolio.books import Books
from services.portfolio.refusals import PortfolioRefused
from services.portfolio.writer import Writer

NO_CURRENCY = "XXX"  # ISO 4217 for a transaction without any: nobody knows the instrument.


class Posting:
    """Takes batches of order events into the books."""

    def __init__(
        self, environment: Environment, writer: Writer, marketdata: MarketDataService
    ) -> None:
        self._environment = environment
        self._writer = writer
        self._marketdata = marketdata
        self._currencies: dict[str, str] = {}

    async def post(self, events: Sequence[OrderEvent]) -> int:
        """Book what is new of `events`; return the last sequence that is durable.

        Raises PortfolioRefused when events are missing in between.
        """
        async with self._writer.opened() as books:
            last = books.event_sequence
            fresh = [event for event in events if event.header.sequence > last]
            _check_no_gap(fresh, last)
            digests = {event.header.sequence: wire.event_digest(event) for event in events}
            conflicts = await self._conflicts(events[: len(events) - len(fresh)], digests)
            if fresh or conflicts:
                booking = await self._booked(books, fresh)
                booking.anomalies.extend(conflicts)
                new = {e.header.sequence: digests[e.header.sequence] for e in fresh}
                await self._commit(books, booking, new)
            sequence = books.event_sequence
        self._environment.progress.has_read(store.ORDER_EVENTS, sequence)
        return sequence

    async def _conflicts(
        self, repeated: Sequence[OrderEvent], digests: dict[int, bytes]
    ) -> list[Anomaly]:
        if not repeated:
            return []
        wanted = [event.header.sequence for event in repeated]
        kept = await self._environment.database.read(lambda tx: store.digests(tx, wanted))
        return [
            Anomaly(
                event.order.spec.account,
                event.header.event_id,
                "CONFLICTING_EVENT",
                f"order event {event.header.sequence} came before with other content",
            )
            for event in repeated
            if kept.get(event.header.sequence) != digests[event.header.sequence]
        ]

    async def _booked(self, books: Books, events: Sequence[OrderEvent]) -> Booking:
        reports = [
            wire.report_of(event, await self._currency(books, event.execution))
            for event in events
            if wire.touches_money(event)
        ]
        booking = Booking(books.positions, *await self._former(reports))
        for report in reports:
            booking.apply(report)
        return booking

    async def _former(
        self, reports: Sequence[Report]
    ) -> tuple[dict[Key, bytes], dict[Key, list[Kept]]]:
        """Return which reports are booked, and the fills that busts and corrections name."""
        if not reports:
            return {}, {}
        names = [(report.fill.account, report.fill.exec_id) for report in reports]
        amended = dict.fromkeys(r.key for r in reports if r.kind is not ReportKind.TRADE)

        def read(tx: Connection) -> tuple[dict[Key, bytes], dict[Key, list[Kept]]]:
            return journals.known(tx, names), {key: journals.log(tx, key) for key in amended}

        return await self._environment.database.read(read)

    async def _commit(self, books: Books, booking: Booking, events: dict[int, bytes]) -> None:
        now_ns, first = self._environment.clock.now_ns(), books.sequence + 1
        balances = books.add(booking.journals, now_ns)
        currencies = {(f.account, f.instrument): f.currency for f in booking.added}
        for key, position in booking.changed.items():
            currency = currencies.get(key) or books.currency_of(*key)
            books.set_position(key, position, currency)
        books.event_sequence = max([books.event_sequence, *events])
        accounts = [journal.account for journal in booking.journals]

        def work(tx: Connection) -> None:
            store.put_accounts(tx, books, accounts)  # Before what refers to them.
            journals.add_booking(tx, booking, first)
            store.put_balances(tx, books, balances)
            store.put_positions(tx, books, booking.changed)
            store.add_anomalies(tx, booking.anomalies, now_ns)
            store.add_events(tx, events)

        await self._writer.commit(work, accounts, now_ns=now_ns)

    async def _currency(self, books: Books, execution: ExecutionReport) -> str:
        """Return what a trade is paid in: as its fee, else as the instrument, else unknown."""
        if execution.HasField("fee"):
            return execution.fee.currency
        name = execution.instrument
        if name not in self._currencies:
            await self._read_currencies()
        known = self._currencies.get(name) or books.currency_of(execution.account, name)
        return known or NO_CURRENCY

    async def _read_currencies(self) -> None:
        token, is_more = "", True
        while is_more:
            page = await self._marketdata.list_instruments(
                ListInstrumentsRequest(page_size=1_000, page_token=token)
            )
            self._currencies |= {spec.instrument: spec.currency for spec in page.instruments}
            token = page.next_page_token
            is_more = bool(token)


def _check_no_gap(fresh: Sequence[OrderEvent], last: int) -> None:
    for expected, event in enumerate(fresh, last + 1):
        if event.header.sequence != expected:
            raise PortfolioRefused(
                pb.PORTFOLIO_REFUSAL_REASON_EVENT_GAP,
                f"order event {event.header.sequence} came, must be {expected}: "
                "send again from there",
                expected=str(expected if expected == last + 1 else last + 1),
            )
