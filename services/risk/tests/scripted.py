"""Peers of risk that do as a test tells them: market data, portfolio and strategies."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as market_pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.orders.v1 import orders_pb2 as orders_pb
from trading.orders.v1.orders_port import OrderService
from trading.portfolio.v1 import portfolio_pb2 as portfolio_pb
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.strategy.v1 import strategy_pb2 as strategy_pb
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1.instrument_pb2 import InstrumentSpec
from trading.types.v1.market_pb2 import Candle, Quote
from trading.types.v1.order_pb2 import Order

from runtime.errors import refusal
from runtime.rpc import Call
from runtime.times import to_ns, to_timestamp
from runtime.watch import Feed
from services.risk.tests import messages

DAY_NS = 24 * 3_600 * 10**9
Item = market_pb.WatchCandlesResponse


class ScriptedMarketData(MarketDataService):
    """Shows the candles and quotes a test publishes."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.feed: Feed[Item] = Feed("marketdata")
        self.instruments: dict[str, InstrumentSpec] = {}
        self.quotes: dict[str, Quote] = {}
        self.holidays: set[int] = set()
        self.is_stale = False

    def show(self, candle: Candle) -> None:
        """Publish one candle."""
        sequence = len(self.items) + 1
        self.items.append(Item(sequence=sequence, candle=candle))
        self.feed.publish(sequence, self.items[-1])

    async def watch_candles(
        self, request: market_pb.WatchCandlesRequest, call: Call = Call()
    ) -> AsyncGenerator[Item, None]:
        """Stream what was shown, then what is."""

        async def load(after: int, limit: int) -> Sequence[tuple[int, Item]]:
            return [(item.sequence, item) for item in self.items[after : after + limit]]

        async with aclosing(self.feed.watch(request.after_sequence, load)) as deliveries:
            async for found in deliveries:
                yield found.item or Item(sequence=found.sequence, is_heartbeat=True)

    async def list_instruments(
        self, request: market_pb.ListInstrumentsRequest, call: Call = Call()
    ) -> market_pb.ListInstrumentsResponse:
        """Answer the instruments that the test names."""
        return market_pb.ListInstrumentsResponse(instruments=self.instruments.values())

    async def list_sessions(
        self, request: market_pb.ListSessionsRequest, call: Call = Call()
    ) -> market_pb.ListSessionsResponse:
        """Answer sessions of eight hours a day, from midnight on, without a weekend."""
        first = to_ns(request.from_time) // DAY_NS
        sessions = [
            market_pb.Session(
                day=day,
                open_time=to_timestamp(day * DAY_NS),
                close_time=to_timestamp(day * DAY_NS + DAY_NS // 3),
            )
            for day in range(first, first + request.page_size)
            if day not in self.holidays
        ]
        return market_pb.ListSessionsResponse(sessions=sessions)

    async def get_quote(
        self, request: market_pb.GetQuoteRequest, call: Call = Call()
    ) -> market_pb.GetQuoteResponse:
        """Answer the quote that the test gives, or an empty one."""
        if request.instrument not in self.instruments:
            raise refusal(StatusCode.NOT_FOUND, "UNKNOWN_INSTRUMENT", "?", service="marketdata")
        quote = self.quotes.get(request.instrument, Quote(instrument=request.instrument))
        return market_pb.GetQuoteResponse(quote=quote, is_stale=self.is_stale)


class ScriptedOrders(OrderService):
    """Orders in the states that a test names; others are not found."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.asked: list[str] = []
        self.takes_s = 0.0  # To answer one.
        self.asked_at_once_max = 0
        self._being_asked = 0

    async def get_order(
        self, request: orders_pb.GetOrderRequest, call: Call = Call()
    ) -> orders_pb.GetOrderResponse:
        """Answer the order."""
        self.asked.append(request.client_order_id)
        self._being_asked += 1
        self.asked_at_once_max = max(self.asked_at_once_max, self._being_asked)
        await asyncio.sleep(self.takes_s)
        self._being_asked -= 1
        if request.client_order_id not in self.orders:
            raise refusal(StatusCode.NOT_FOUND, "ORDER_UNKNOWN", "?", service="orders")
        return orders_pb.GetOrderResponse(order=self.orders[request.client_order_id])


class ScriptedPortfolio(PortfolioService):
    """Says what was paid into accounts."""

    def __init__(self) -> None:
        self.paid: dict[str, str] = {}
        self.news = asyncio.Event()
        self.is_away = False

    def pay(self, account: str, amount: str) -> None:
        """Let `amount` dollars be all that was ever paid in."""
        self.paid[account] = amount
        self.news.set()

    async def get_portfolio(
        self, request: portfolio_pb.GetPortfolioRequest, call: Call = Call()
    ) -> portfolio_pb.GetPortfolioResponse:
        """Answer what was paid in."""
        if self.is_away:
            raise refusal(StatusCode.UNAVAILABLE, "AWAY", "the peer is away", service="portfolio")
        if request.account not in self.paid:
            raise refusal(StatusCode.NOT_FOUND, "ACCOUNT_UNKNOWN", "?", service="portfolio")
        return portfolio_pb.GetPortfolioResponse(portfolio=self._snapshot(request.account))

    async def watch_portfolio(
        self, request: portfolio_pb.WatchPortfolioRequest, call: Call = Call()
    ) -> AsyncGenerator[portfolio_pb.WatchPortfolioResponse, None]:
        """Stream what was paid in whenever it changed."""
        while True:
            self.news.clear()
            for account in self.paid:
                yield portfolio_pb.WatchPortfolioResponse(portfolio=self._snapshot(account))
            await self.news.wait()

    def _snapshot(self, account: str) -> portfolio_pb.PortfolioSnapshot:
        paid = messages.usd(self.paid[account])
        return portfolio_pb.PortfolioSnapshot(account=account, currency="USD", net_transfers=paid)


class ScriptedStrategies(StrategyService):
    """Strategies in the states that a test names; others are not found."""

    def __init__(self) -> None:
        self.states = {"strategy-1": strategy_pb.STRATEGY_STATE_RUNNING}
        self.is_away = False

    async def get_strategy(
        self, request: strategy_pb.GetStrategyRequest, call: Call = Call()
    ) -> strategy_pb.GetStrategyResponse:
        """Answer the state."""
        if self.is_away:
            raise refusal(StatusCode.UNAVAILABLE, "AWAY", "the peer is away", service="strategy")
        if request.strategy_id not in self.states:
            raise refusal(StatusCode.NOT_FOUND, "STRATEGY_UNKNOWN", "?", service="strategy")
        state = self.states[request.strategy_id]
        strategy = strategy_pb.Strategy(strategy_id=request.strategy_id, state=state)
        return strategy_pb.GetStrategyResponse(strategy=strategy)
