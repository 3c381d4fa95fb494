"""What messages of single RPCs are about: what is there to stay, and what they use up."""

from functools import partial
from uuid import NAMESPACE_URL, uuid5

from google.type.decimal_pb2 import Decimal
from trading.discovery.v1 import discovery_pb2
from trading.discovery.v1.discovery_port import DiscoveryService
from trading.exchange.v1 import exchange_pb2
from trading.exchange.v1.exchange_port import ExchangeService
from trading.marketdata.v1 import marketdata_pb2
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.orders.v1.orders_pb2 import SubmitOrderRequest
from trading.risk.v1.risk_pb2 import ValidateOrderRequest
from trading.risk.v1.risk_port import RiskService
from trading.strategy.v1.strategy_pb2 import StartStrategyRequest, Strategy
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1 import market_pb2, order_pb2
from trading.types.v1.order_pb2 import Order, OrderSpec
from trading.types.v1.risk_pb2 import RiskDecision

from loadtests.traffic.callers import EXECUTION, OPERATOR, ORDERS, TRADER
from loadtests.traffic.insisting import few_at_once, insist
from loadtests.traffic.messages.floor import TRADED, Floor
from loadtests.traffic.messages.stock import Stock
from loadtests.traffic.strategies import creation
from runtime.clock import SystemClock
from runtime.load.traffic import Ground
from runtime.times import NS_PER_S, to_timestamp

STRATEGIES = LEASES = 8
RESTS_AT = "95.00"  # Far below the price, and not so far as to be refused.
HOUR_NS = 3600 * NS_PER_S
TO_STAY = 1_000_000  # From here on count the names of what is not in stock.
Registered = tuple[str, discovery_pb2.Lease]  # The instance's id, and its lease.


class Stage(Floor):
    """What there is to talk about."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.etags: dict[str, str] = {}  # As last answered, by account or strategy.
        self.replay_id = ""
        self.strategies: list[Strategy] = []
        self.leases: list[Registered] = []
        self.resting: Stock[Order] = Stock(self._rest)
        self.worked: Stock[Order] = Stock(self._work)  # By an algorithm, for an hour.
        self.fresh: Stock[Strategy] = Stock(self._create)  # Never started.
        self.placed: Stock[exchange_pb2.VenueOrder] = Stock(self._place)  # By nobody but us.
        self.approved: Stock[tuple[OrderSpec, RiskDecision]] = Stock(self._approve)
        self.registered: Stock[Registered] = Stock(self._register)
        self._strategy_service = ground.port(StrategyService, TRADER)
        self._venue = ground.port(ExchangeService, EXECUTION)
        self._risk = ground.port(RiskService, ORDERS)
        self._discovery = ground.port(DiscoveryService, ORDERS)

    async def prepare(self, *needs: str) -> None:
        """Make what is named, and what that needs: attributes of this, or as follows."""
        steps = {
            "market": self.market.open,
            "accounts": self.crowd.open,
            "trades": self.trade,
            "replay_id": self._replay,
            "strategies": self._create_some,
            "started": self._start_all,
            "leases": self._register_some,
            "resting": self.resting.open,
            "worked": self.worked.open,
            "fresh": self.fresh.open,
            "placed": self.placed.open,
            "approved": self.approved.open,
            "registered": self.registered.open,
        }
        wanted = set(needs)
        for name in reversed(steps):
            wanted |= set(NEEDED.get(name, ())) if name in wanted else set()
        for name, make in steps.items():
            if name in wanted:
                await make()

    async def close(self) -> None:
        """End what goes on in the background."""
        for stock in (self.resting, self.worked, self.fresh, self.placed):
            await stock.close()
        await self.approved.close()
        await self.registered.close()
        await self.market.close()

    async def _rest(self, number: int) -> Order:
        return await self._submit(self._low(number, "w"))

    async def _work(self, number: int) -> Order:
        spec, now_ns = self._low(number, "t"), SystemClock().now_ns()
        spec.quantity.value = "60"
        spec.algorithm.kind = order_pb2.ALGORITHM_KIND_TWAP
        spec.algorithm.start_time.FromNanoseconds(now_ns)
        spec.algorithm.end_time.FromNanoseconds(now_ns + HOUR_NS)
        return await self._submit(spec)

    def _low(self, number: int, kind: str) -> OrderSpec:
        """Return an order to buy so low that it will not trade; none is like another."""
        spec = self.orders.order(TRADED + number)
        spec.client_order_id, spec.side = self.name(number, kind), order_pb2.SIDE_BUY
        spec.limit_price.CopyFrom(Decimal(value=f"94.{number % 100:02d}"))
        spec.time_in_force = order_pb2.TIME_IN_FORCE_GTC
        return spec

    async def _submit(self, spec: OrderSpec) -> Order:
        request = SubmitOrderRequest(order=spec)
        return (await insist(partial(self.order_service.submit_order, request))).order

    async def _create(self, number: int) -> Strategy:
        minute = market_pb2.TIMEFRAME_MINUTE_1
        instruments, name = [self.instrument(number)], self.name(number, "c")
        request = creation(self.account(number), instruments, minute, request_id=name)
        answer = await insist(partial(self._strategy_service.create_strategy, request))
        return answer.strategy

    async def _create_some(self) -> None:
        numbers = range(TO_STAY, TO_STAY + STRATEGIES)
        self.strategies = await few_at_once(partial(self._create, number) for number in numbers)

    async def _start_all(self) -> None:
        for strategy in self.strategies:
            request = StartStrategyRequest(
                strategy_id=strategy.strategy_id,
                request_id=strategy.strategy_id,
                is_cold_start_allowed=True,
            )
            answer = await insist(partial(self._strategy_service.start_strategy, request))
            self.etags[strategy.strategy_id] = answer.strategy.etag

    async def _place(self, number: int) -> exchange_pb2.VenueOrder:
        request = placing(self, number, self.name(number, "y"), RESTS_AT)
        await insist(partial(self._venue.place_order, request))
        return request.order

    async def _approve(self, number: int) -> tuple[OrderSpec, RiskDecision]:
        order = self.orders.order(TRADED + number)
        order.client_order_id = self.name(number, "a")
        request = ValidateOrderRequest(
            validation_id=f"{order.client_order_id}:1", order=order, epoch=self.epoch
        )
        return order, (await insist(partial(self._risk.validate_order, request))).decision

    async def _register(self, number: int) -> Registered:
        request = registration(self, number, "j")
        answer = await insist(partial(self._discovery.register_instance, request))
        return request.instance.instance_id, answer.lease

    async def _register_some(self) -> None:
        numbers = range(TO_STAY, TO_STAY + LEASES)
        self.leases = await few_at_once(partial(self._register, number) for number in numbers)

    async def _replay(self) -> None:
        service = self.ground.port(MarketDataService, OPERATOR)
        request = replay(self, 0)
        self.replay_id = (await insist(partial(service.start_replay, request))).replay.replay_id


NEEDED = {
    "accounts": ("market",),
    "trades": ("accounts",),
    "strategies": ("accounts",),
    "started": ("strategies",),
    "resting": ("accounts",),
    "worked": ("accounts",),
    "fresh": ("accounts",),
    "placed": ("accounts",),
    "approved": ("trades",),
}


def placing(floor: Floor, number: int, name: str, price: str) -> exchange_pb2.PlaceOrderRequest:
    """Return the request to buy one lot at the venue; it trades at once, or rests, by its price."""
    order = exchange_pb2.VenueOrder(
        client_order_id=name,
        account=floor.account(number),
        instrument=floor.instrument(number),
        side=order_pb2.SIDE_BUY,
        type=order_pb2.ORDER_TYPE_LIMIT,
        time_in_force=order_pb2.TIME_IN_FORCE_GTC,
        quantity=Decimal(value="1"),
        limit_price=Decimal(value=price),
    )
    return exchange_pb2.PlaceOrderRequest(order=order)


def registration(floor: Floor, number: int, kind: str) -> discovery_pb2.RegisterInstanceRequest:
    """Return the request to make known an instance in an environment that nobody looks into."""
    name = floor.name(number, kind)
    endpoint = discovery_pb2.Endpoint(
        protocol=discovery_pb2.PROTOCOL_GRPC, host="nobody.invalid", port=1
    )
    instance = discovery_pb2.InstanceSpec(
        service="orders",
        instance_name=f"orders-{''.join(filter(str.isalnum, name))}",
        instance_id=str(uuid5(NAMESPACE_URL, name)),
        version="load",
        environment="load",
        endpoints=[endpoint],
        weight=1,
    )
    return discovery_pb2.RegisterInstanceRequest(request_id=name, instance=instance)


def replay(floor: Floor, number: int) -> marketdata_pb2.StartReplayRequest:
    """Return the request for a replay that is over at once: one candle of long ago."""
    first_ns = floor.long_ago_ns(number)
    return marketdata_pb2.StartReplayRequest(
        request_id=floor.name(number, "p"),
        dataset="square-v1",
        instruments=[f"SQ{number % 100:02d}.XSIM"],
        from_time=to_timestamp(first_ns),
        to_time=to_timestamp(first_ns + 60 * NS_PER_S),
        speed=1_000_000,
        seed=1,
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
    )
