"""A portfolio service beside scripted market data, in virtual time; it can be crashed."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import fakeredis
from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.exchange.v1 import exchange_pb2 as exchange_pb
from trading.exchange.v1.exchange_port import ExchangeService
from trading.marketdata.v1 import marketdata_pb2 as market_pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.portfolio.v1 import portfolio_pb2 as pb
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.risk.v1 import risk_pb2 as risk_pb
from trading.risk.v1.risk_port import RiskService
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.instrument_pb2 import InstrumentSpec
from trading.types.v1.market_pb2 import Candle

from runtime.client import client_for
from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.errors import refusal
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids, derived_rng
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.progress import Progress
from runtime.rpc import Call, P
from runtime.stores import Database, Streams
from runtime.watch import Feed
from services.portfolio import wire
from services.portfolio.service import Portfolio
from services.portfolio.tests import mothers

OPERATOR = Principal("olga", frozenset({"OPERATOR", "VIEWER", "AUDITOR"}))
ORDERS = Principal("orders", service="orders")


class ScriptedMarketData(MarketDataService):
    """Shows the candles a test publishes."""

    def __init__(self) -> None:
        self.items: list[market_pb.WatchCandlesResponse] = []
        self.feed: Feed[market_pb.WatchCandlesResponse] = Feed("marketdata")
        self.instruments: list[InstrumentSpec] = []

    def show(self, candle: Candle) -> None:
        """Publish one candle."""
        sequence = len(self.items) + 1
        self.items.append(market_pb.WatchCandlesResponse(sequence=sequence, candle=candle))
        self.feed.publish(sequence, self.items[-1])

    async def watch_candles(
        self, request: market_pb.WatchCandlesRequest, call: Call = Call()
    ) -> AsyncGenerator[market_pb.WatchCandlesResponse, None]:
        """Stream what was shown, then what is."""

        async def load(
            after: int, limit: int
        ) -> Sequence[tuple[int, market_pb.WatchCandlesResponse]]:
            return [(item.sequence, item) for item in self.items[after : after + limit]]

        async with aclosing(self.feed.watch(request.after_sequence, load)) as deliveries:
            async for found in deliveries:
                yield found.item or market_pb.WatchCandlesResponse(
                    sequence=found.sequence, is_heartbeat=True
                )

    async def list_instruments(
        self, request: market_pb.ListInstrumentsRequest, call: Call = Call()
    ) -> market_pb.ListInstrumentsResponse:
        """Answer the instruments that the test names."""
        return market_pb.ListInstrumentsResponse(instruments=self.instruments)


class ScriptedRisk(RiskService):
    """Takes the modes that it is told, unless it is away."""

    def __init__(self) -> None:
        self.asked: list[risk_pb.SetTradingModeRequest] = []
        self.is_away = False

    async def set_trading_mode(
        self, request: risk_pb.SetTradingModeRequest, call: Call = Call()
    ) -> risk_pb.SetTradingModeResponse:
        """Remember the request."""
        self.asked.append(request)
        if self.is_away:
            raise refusal(StatusCode.UNAVAILABLE, "AWAY", "the peer is away", service="risk")
        return risk_pb.SetTradingModeResponse()


class ScriptedExchange(ExchangeService):
    """Holds what a test says."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.knows_account = True

    async def get_balance(
        self, request: exchange_pb.GetBalanceRequest, call: Call = Call()
    ) -> exchange_pb.GetBalanceResponse:
        """Answer the positions."""
        if not self.knows_account:
            raise refusal(StatusCode.NOT_FOUND, "ACCOUNT_UNKNOWN", "?", service="exchange")
        positions = [
            exchange_pb.VenuePosition(instrument=name, quantity=Decimal(value=quantity))
            for name, quantity in self.held.items()
        ]
        return exchange_pb.GetBalanceResponse(positions=positions)


class Rig:
    """What a test of the service holds in its hands."""

    def __init__(self) -> None:
        self.clock = ReplayClock(mothers.START_NS)
        self.marketdata = ScriptedMarketData()
        self.risk = ScriptedRisk()
        self.exchange = ScriptedExchange()
        self.database = Database.inline_memory()
        self.progress = Progress()
        self.service: Portfolio
        self.portfolio: PortfolioService  # As an operator calls it, through all guards.
        self.as_orders: PortfolioService
        self._sequence = 0

    @classmethod
    async def started(cls, deposit: str = "1000000") -> "Rig":
        """Return a running instance; `deposit` is paid in unless it is empty."""
        rig = cls()
        await rig.start()
        if deposit:
            await rig.transfer(deposit)
        return rig

    async def start(self) -> None:
        """Start an instance on what the last one left behind."""
        environment = Environment(
            service="portfolio",
            clock=self.clock,
            rng=derived_rng(1, "portfolio"),
            ids=Ids(derived_rng(1, "ids")),
            database=self.database,
            streams=Streams(fakeredis.FakeAsyncRedis(), identity_of("portfolio")),
            progress=self.progress,
            tasks=Tasks("portfolio"),
        )
        self.service = Portfolio(environment, self._peer)
        self.portfolio, self.as_orders = self._client(OPERATOR), self._client(ORDERS)
        await self.service.start()

    async def restart(self) -> None:
        """Lose what is not committed, and start again."""
        database = self.database.crash()
        await self.service.stop()
        self.database = database
        await self.start()

    async def show(self, *candles: Candle) -> None:
        """Publish candles, and return when the portfolio has taken them in."""
        for candle in candles:
            self.marketdata.show(candle)
        for _ in range(10_000):
            if self.progress.read.get("candles", 0) >= len(self.marketdata.items):
                return
            await asyncio.sleep(0.001)
        raise TimeoutError("the portfolio did not take the candles in")

    async def transfer(self, amount: str, key: str = "t1") -> pb.TransferCashResponse:
        """Pay in, or out when negative."""
        is_out = amount.startswith("-")
        return await self.portfolio.transfer_cash(
            pb.TransferCashRequest(
                request_id=key,
                account=mothers.ACCOUNT,
                amount=mothers.usd(amount.removeprefix("-")),
                direction=pb.TRANSFER_DIRECTION_OUT if is_out else pb.TRANSFER_DIRECTION_IN,
            )
        )

    async def trade(self, quantity: str, price: str, **changes: object) -> OrderEvent:
        """Report one trade as the next order event; return the event."""
        self._sequence += 1
        report = mothers.execution(quantity, price, **{"exec_id": f"x{self._sequence}", **changes})
        event = mothers.event(self._sequence, report)
        await self.report(event)
        return event

    async def report(self, *events: OrderEvent) -> int:
        """Report order events; return the last sequence that is durable."""
        self._sequence = max(self._sequence, events[-1].header.sequence)
        answer = await self.as_orders.report_order_events(
            pb.ReportOrderEventsRequest(events=events)
        )
        return answer.last_sequence

    async def money(self) -> dict[str, str]:
        """Return the account's figures as text."""
        request = pb.GetPortfolioRequest(account=mothers.ACCOUNT)
        found = (await self.portfolio.get_portfolio(request)).portfolio
        names = ("equity", "market_value", "realised", "unrealised", "fees", "gross", "net")
        figures = {name: getattr(found, name).amount.value for name in names}
        return figures | {"cash": found.cash[0].amount.value}

    async def position(self, instrument: str = mothers.INSTRUMENT) -> pb.Position:
        """Return one position."""
        request = pb.GetPositionRequest(account=mothers.ACCOUNT, instrument=instrument)
        return (await self.portfolio.get_position(request)).position

    async def journals(self, ledger_account: str = "") -> list[pb.Journal]:
        """Return the account's journals."""
        request = pb.ListJournalsRequest(account=mothers.ACCOUNT, ledger_account=ledger_account)
        return list((await self.portfolio.list_journals(request)).journals)

    def _peer(self, port: type[P]) -> P:
        peers = LocalTransport([self.marketdata, self.risk, self.exchange], through=guarded)
        me = Principal("portfolio", service="portfolio")
        return client_for(port, peers, caller=me, rng=derived_rng(1, "peers"))

    def _client(self, caller: Principal) -> PortfolioService:
        transport = LocalTransport([self.service], through=guarded)
        return client_for(PortfolioService, transport, caller=caller, rng=derived_rng(1, "test"))


def sums(journals: Sequence[pb.Journal]) -> dict[str, int]:
    """Return minor units per ledger account, debits positive; each journal must balance."""
    totals: dict[str, int] = {}
    for journal in journals:
        amounts = []
        for entry in journal.entries:
            units = wire.minor_of(entry.amount)
            amounts.append(units if entry.side == pb.ENTRY_SIDE_DEBIT else -units)
            totals[entry.ledger_account] = totals.get(entry.ledger_account, 0) + amounts[-1]
        assert sum(amounts) == 0, journal
    return totals
