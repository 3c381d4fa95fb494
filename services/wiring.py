"""The one composition root: every service built from its ports, store, clock and chance.

Whoever hosts services (the harness, `python -m services`) takes them from `BUILDERS`, so no
world runs a different assembly. Adding a service is one line here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from trading.discovery.v1.discovery_port import DiscoveryService
from trading.exchange.v1.exchange_port import ExchangeService
from trading.execution.v1.execution_port import ExecutionService
from trading.indicators.v1.indicators_port import IndicatorService
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.orders.v1.orders_port import OrderService
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.risk.v1.risk_port import RiskService
from trading.strategy.v1.strategy_port import StrategyService

from runtime.environment import Environment
from runtime.rpc import P, Port
from runtime.stores.deployment import Manifest, Reads
from runtime.stores.migrating import History
from services.discovery import Discovery, Probe
from services.discovery import migrations as discovery
from services.execution import Execution, ExecutionPeers
from services.execution import migrations as execution
from services.indicators import Indicators, precompilation
from services.marketdata import MarketData, Pacer
from services.marketdata import migrations as marketdata
from services.orders import Orders
from services.orders import migrations as orders
from services.portfolio import Portfolio
from services.portfolio import migrations as portfolio
from services.risk import Risk
from services.risk import migrations as risk
from services.strategy import Strategies
from services.strategy import migrations as strategy


class Connect(Protocol):
    """Gives a service its client of a peer, wherever the peer is."""

    def __call__(self, port: type[P]) -> P:
        """Return a client of `port`."""


@dataclass(frozen=True)
class Shared:
    """What several services must agree on."""

    approval_key: bytes  # Signs what risk approved; execution verifies it.
    pacer: Pacer | None = None  # Moves the world along with a replay; None: real time.
    probe: Probe | None = None  # Asks instances whether they answer; None: they are believed.


Build = Callable[[Environment, Connect, Shared], Port]

# What each answers to.
PORTS: dict[str, type[Port]] = {
    "discovery": DiscoveryService,
    "marketdata": MarketDataService,
    "indicators": IndicatorService,
    "portfolio": PortfolioService,
    "strategy": StrategyService,
    "risk": RiskService,
    "execution": ExecutionService,
    "orders": OrderService,
}

# Who may register with discovery, and the contract by which `grpc.health.v1` knows it.
INSTANCES: Mapping[str, str] = {
    "exchange": ExchangeService.DESCRIPTOR.full_name,
    **{name: port.DESCRIPTOR.full_name for name, port in PORTS.items()},
}

# In start order: who needs a peer at its start comes after it.
BUILDERS: dict[str, Build] = {
    "discovery": lambda env, connect, shared: Discovery(env, INSTANCES, shared.probe),
    "marketdata": lambda env, connect, shared: MarketData(env, shared.pacer),
    "indicators": lambda env, connect, shared: Indicators(env, connect(MarketDataService)),
    "portfolio": lambda env, connect, shared: Portfolio(env, connect),
    "strategy": lambda env, connect, shared: Strategies(
        env, connect(MarketDataService), connect(IndicatorService)
    ),
    "risk": lambda env, connect, shared: Risk(env, shared.approval_key, connect),
    "execution": lambda env, connect, shared: Execution(
        env,
        shared.approval_key,
        ExecutionPeers(connect(ExchangeService), connect(MarketDataService), connect(RiskService)),
    ),
    "orders": lambda env, connect, shared: Orders(env, connect),
}

# What a process loads before it serves: otherwise the first caller waits beyond its deadline.
LOADERS: Mapping[str, Callable[[], None]] = {"indicators": precompilation.main}

# How the schema of each service that has one came about.
HISTORIES: Mapping[str, History] = {
    history.service: history
    for history in (
        discovery.HISTORY,
        marketdata.HISTORY,
        portfolio.HISTORY,
        strategy.HISTORY,
        risk.HISTORY,
        execution.HISTORY,
        orders.HISTORY,
    )
}

# Which Redis streams each service writes, and whose it reads: rights, groups and trimming
# follow from it. Who is not here touches none.
MANIFESTS: Mapping[str, Manifest] = {
    "strategy": Manifest(produces=("signals",)),
    "orders": Manifest(produces=("order_events",), reads=(Reads("strategy", "signals"),)),
}

# Who reads which stream: the harness waits until every reader has read all that was written.
READERS: Mapping[str, tuple[str, ...]] = {
    "strategy": ("candles", "order_events"),
    "risk": ("candles", "order_events"),
    "portfolio": ("candles", "order_events"),
    "orders": ("signals", "execution_reports", "risk_events"),
    "execution": ("venue_reports:XSIM", "risk_events"),
}

# Who keeps facts from outside on a local disk while its database is away.
SPOOLING = frozenset({"execution"})
