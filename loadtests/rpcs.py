"""Each RPC alone, as often as its contract says and as fast: `--tags orders`, or one by its name.

They run when they are asked for, by tag, by name or by this file. One that is rare needs a long
`--duration`: a p99 takes 368 calls.
"""

from trading.discovery.v1.discovery_port import DiscoveryService
from trading.exchange.v1.exchange_port import ExchangeService
from trading.execution.v1.execution_port import ExecutionService
from trading.indicators.v1.indicators_port import IndicatorService
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.orders.v1.orders_port import OrderService
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.risk.v1.risk_port import RiskService
from trading.strategy.v1.strategy_port import StrategyService

from loadtests.traffic.messages import RPCS
from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile
from runtime.rpc import Method, methods

PORTS = (
    DiscoveryService,
    ExchangeService,
    ExecutionService,
    IndicatorService,
    MarketDataService,
    OrderService,
    PortfolioService,
    RiskService,
    StrategyService,
)
# The load of a stream is that of its messages, which other profiles make; here it is watchers that
# come, hear the first message, and go.
WATCHERS_PER_S = 5.0


def user(method: Method) -> type[Flow]:
    """Return the user that calls `method`: "OrderServiceGetOrder"."""
    policy = method.policy
    profile = Profile(
        name=method.label,
        unit="call → first answer",
        rate_1x=WATCHERS_PER_S if method.streams_responses else policy.target_rps,
        gates=(Gate(method.label, p99_ms=policy.p99_ms),),
        traffic="loadtests.traffic.single:Single",
        options={"rpc": method.label},
    )
    told = {
        "__doc__": f"{profile.rate_1x:g} calls of {method.label} a second.",
        "profile": profile,
        "labels": ("rpc", method.service),
        "is_default": False,
    }
    return type(method.label.replace("/", ""), (Flow,), told)


# Locust finds users by the names of its locustfile. TICKS and VALIDATE are RPCs alone already.
globals().update(
    (one.__name__, one)
    for one in (
        user(method)
        for port in PORTS
        for method in methods(port)
        if method.policy.target_rps and method.label in RPCS
    )
)
