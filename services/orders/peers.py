"""Whom orders calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from trading.execution.v1.execution_port import ExecutionService
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.portfolio.v1 import portfolio_pb2
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.risk.v1 import risk_pb2
from trading.risk.v1.risk_port import RiskService
from trading.strategy.v1 import strategy_pb2
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1.event_pb2 import OrderEvent

from runtime.rpc import P
from services.orders.feedback import Subscriber


class Connect(Protocol):
    """Gives a client of a peer, wherever the peer is."""

    def __call__(self, port: type[P]) -> P:
        """Return a client of `port`."""


@dataclass(frozen=True)
class Peers:
    """The clients of one instance of orders."""

    risk: RiskService
    execution: ExecutionService
    marketdata: MarketDataService
    strategy: StrategyService
    portfolio: PortfolioService

    @classmethod
    def through(cls, connect: Connect) -> "Peers":
        """Return the clients that `connect` gives."""
        return cls(
            risk=connect(RiskService),
            execution=connect(ExecutionService),
            marketdata=connect(MarketDataService),
            strategy=connect(StrategyService),
            portfolio=connect(PortfolioService),
        )

    def subscribers(self) -> tuple[Subscriber, ...]:
        """Return who is told of every order event, in the order of their start."""

        async def tell_risk(events: Sequence[OrderEvent]) -> int:
            request = risk_pb2.ReportOrderEventsRequest(events=events)
            return (await self.risk.report_order_events(request)).last_sequence

        async def tell_strategy(events: Sequence[OrderEvent]) -> int:
            request = strategy_pb2.ReportOrderEventsRequest(events=events)
            return (await self.strategy.report_order_events(request)).last_sequence

        async def tell_portfolio(events: Sequence[OrderEvent]) -> int:
            request = portfolio_pb2.ReportOrderEventsRequest(events=events)
            return (await self.portfolio.report_order_events(request)).last_sequence

        return (
            Subscriber("risk", tell_risk),
            Subscriber("strategy", tell_strategy),
            Subscriber("portfolio", tell_portfolio),
        )
