"""An instance of execution at a scripted venue, in virtual time; it can crash and come back."""

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing
from typing import Any, Self

from trading.exchange.v1.exchange_port import ExchangeService
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_port import ExecutionService
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.risk.v1.risk_port import RiskService
from trading.types.v1.execution_pb2 import ExecutionReport
from trading.types.v1.order_pb2 import OrderSpec

from runtime.client import client_for
from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids, derived_rng
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.progress import Progress
from runtime.rpc import P, Port
from runtime.stores import Database, Streams
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.stores.spool import Spool
from services.execution import Execution, ExecutionPeers, tables
from services.execution.tests import mothers
from services.execution.tests.mothers import ANA, KEY, START_NS
from services.execution.tests.peers import ScriptedMarketData, ScriptedRisk
from services.execution.tests.scripted import ScriptedVenue


class Rig:
    """What a test of the service holds in its hands."""

    def __init__(self) -> None:
        self.clock = ReplayClock(START_NS)
        self.venue = ScriptedVenue()
        self.risk = ScriptedRisk()
        self.marketdata = ScriptedMarketData()
        self.database = Database.inline_memory()
        self.spool = Spool(Database.inline_memory(), self.clock)
        self.environment: Environment
        self.service: Execution
        self.execution: ExecutionService  # As orders calls it, through all guards.

    @classmethod
    async def started(cls) -> Self:
        """Return a running instance that reads the venue's reports."""
        rig = cls()
        await rig.start()
        return rig

    async def start(self) -> None:
        """Start an instance on what the last one left behind."""
        self.environment = Environment(
            service="execution",
            clock=self.clock,
            rng=derived_rng(1, "execution"),
            ids=Ids(derived_rng(1, "ids")),
            database=self.database,
            streams=Streams(SimulatedRedis(SimulatedServer()), identity_of("execution")),
            progress=Progress(),
            tasks=Tasks("execution"),
            spool=self.spool,
        )
        self.venue.now_ns = self.clock.now_ns
        peers = ExecutionPeers(
            _client(ExchangeService, self.venue, "execution"),
            _client(MarketDataService, self.marketdata, "execution"),
            _client(RiskService, self.risk, "execution"),
        )
        self.service = Execution(self.environment, KEY, peers)
        self.execution = _client(ExecutionService, self.service, "orders")
        await self.service.start()
        await self.rest()

    async def crash(self) -> None:
        """Lose everything that is not committed, without a farewell."""
        self.database, self.spool = self.database.crash(), self.spool.crash()
        await self.environment.tasks.stop()

    async def rest(self) -> None:
        """Let what is on its way arrive."""
        await asyncio.sleep(0.01)

    async def send(self, spec: OrderSpec, **details: Any) -> pb.StartExecutionResponse:
        """Start the execution of an order that was approved now."""
        return await self.execution.start_execution(
            mothers.start(spec, self.clock.now_ns(), **details)
        )

    async def state(self, client_order_id: str = "order-1") -> pb.GetExecutionResponse:
        """Return Ana's execution as it stands."""
        return await self.execution.get_execution(
            pb.GetExecutionRequest(account=ANA, client_order_id=client_order_id)
        )

    async def query(self, client_order_id: str = "order-1") -> pb.QueryOrderResponse:
        """Ask the venue for an order of Ana's."""
        return await self.execution.query_order(
            pb.QueryOrderRequest(venue="XSIM", account=ANA, client_order_id=client_order_id)
        )

    async def reports(self, after_sequence: int = 0) -> list[ExecutionReport]:
        """Return every report that orders would read after a place in the stream."""
        found: list[ExecutionReport] = []
        request = pb.WatchExecutionReportsRequest(after_sequence=after_sequence)
        async with aclosing(self.execution.watch_execution_reports(request)) as messages:
            async for message in messages:
                if message.is_heartbeat and message.sequence == after_sequence:
                    return found
                found += message.reports
                after_sequence = message.sequence
        return found

    async def rows(self, name: str) -> list[Any]:
        """Return the rows of a table in the order of its key."""
        table = tables.metadata.tables[name]
        query = table.select().order_by(*table.primary_key.columns)
        return list(await self.database.read(lambda tx: tx.execute(query).all()))


async def failure(work: Awaitable[object]) -> ServiceError:
    """Return the error that `work` ends with."""
    try:
        await work
    except ServiceError as error:
        return error
    raise AssertionError("it must fail, and it did not")


def _client(port: type[P], served: Port, caller: str) -> P:
    transport = LocalTransport(
        [served], through=lambda ports: guarded(ports, rng=derived_rng(1, "trace"))
    )
    rng = derived_rng(1, "client", caller)
    return client_for(port, transport, caller=Principal(caller, service=caller), rng=rng)
