"""An instance of orders among scripted peers, in virtual time; it can be crashed and restarted."""

from contextlib import aclosing
from typing import Any

from trading.orders.v1.orders_pb2 import WatchAlarmsRequest
from trading.orders.v1.orders_port import OrderService
from trading.types.v1.risk_pb2 import RiskEvent
from trading.types.v1.signal_pb2 import Signal

from runtime.client import client_for
from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids, derived_rng
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.progress import Progress, lag
from runtime.rpc import P
from runtime.stores import Database, Streams
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from services.orders.service import Orders
from services.orders.tests.listeners import (
    ScriptedMarketData,
    ScriptedPortfolio,
    ScriptedStrategy,
)
from services.orders.tests.mothers import START_NS
from services.orders.tests.scripted import ScriptedExecution, ScriptedRisk

ANA = Principal("ana", frozenset({"TRADER"}))
OLGA = Principal("olga", frozenset({"OPERATOR"}))
RITA = Principal("rita", frozenset({"RISK_OFFICER"}))


class Rig:
    """What a test of the service holds in its hands."""

    def __init__(self, database: Database | None = None) -> None:
        self.clock = ReplayClock(START_NS)
        self.risk = ScriptedRisk(self.clock)
        self.execution = ScriptedExecution()
        self.strategy = ScriptedStrategy()
        self.portfolio = ScriptedPortfolio()
        self.redis_server = SimulatedServer()
        self.redis = SimulatedRedis(self.redis_server)
        self.streams = Streams(SimulatedRedis(self.redis_server), identity_of("orders"))
        self.database = database or Database.inline_memory()
        self.environment: Environment
        self.service: Orders
        self.orders: OrderService  # As Ana calls it, through all guards.
        self.as_rita: OrderService
        self.as_olga: OrderService
        self._signals = 0

    @classmethod
    async def started(cls) -> "Rig":
        """Return a running instance."""
        rig = cls()
        await rig.start()
        return rig

    async def start(self) -> None:
        """Start an instance on what the last one left behind."""
        self.environment = Environment(
            service="orders",
            clock=self.clock,
            rng=derived_rng(1, "orders"),
            ids=Ids(derived_rng(1, "ids")),
            database=self.database,
            streams=self.streams,
            progress=Progress(),
            tasks=Tasks("orders"),
        )
        self.service = Orders(self.environment, self._connect)
        self.orders = self._client(ANA)
        self.as_rita = self._client(RITA)
        self.as_olga = self._client(OLGA)
        await self.service.start()

    async def crash(self) -> None:
        """Lose everything that is not committed, without a farewell."""
        await self.environment.tasks.stop()
        self.database = self.environment.database.crash()

    async def stop(self) -> None:
        """End it in order; raises what crashed in the background."""
        await self.service.stop()

    async def publish(self, *signals: Signal, times: int = 1) -> None:
        """Put signals on the stream, as strategy's relay would."""
        for signal in signals:
            key = f"{signal.account}/{signal.instrument}/{signal.strategy_id}"
            for _ in range(times):
                await self._add(signal.signal_id, key, signal.SerializeToString())
            self._signals += 1

    async def publish_garbage(self) -> None:
        """Put something on the stream of signals that is none."""
        await self._add("garbage", "garbage", b"\xff")
        self._signals += 1

    def skip_signal(self) -> None:
        """Lose one signal on the way to the stream."""
        self._signals += 1

    async def _add(self, event_id: str, key: str, payload: bytes) -> None:
        entry: dict[Any, Any] = {
            "event_id": event_id,
            "type": "trading.types.v1.Signal",
            "key": key,
            "sequence": str(self._signals + 1),
            "payload": payload,
            "traceparent": "",
        }
        await self.redis.xadd(self.streams.source_key("signals"), entry)

    async def alarms(self) -> list[RiskEvent]:
        """Return every alarm so far, as a watcher sees them."""
        found: list[RiskEvent] = []
        async with aclosing(self.orders.watch_alarms(WatchAlarmsRequest())) as stream:
            last = (await anext(stream)).sequence
            while len(found) < last:
                found.append((await anext(stream)).alarm)
        return found

    def is_busy(self) -> bool:
        """Whether work is in hand that no sequence shows."""
        return bool(lag({"orders": self.environment.progress}))

    def _client(self, principal: Principal) -> OrderService:
        transport = LocalTransport([self.service], through=guarded)
        return client_for(OrderService, transport, caller=principal, rng=derived_rng(1, "ana"))

    def _connect(self, port: type[P]) -> P:
        peers = [self.risk, self.execution, ScriptedMarketData(), self.strategy, self.portfolio]
        transport = LocalTransport(peers, through=guarded)
        caller = Principal("orders", service="orders")
        return client_for(port, transport, caller=caller, rng=derived_rng(1, "peers"))
