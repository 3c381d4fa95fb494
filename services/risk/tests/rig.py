"""A risk service among scripted peers, in virtual time; it can be crashed and restarted."""

import asyncio
from typing import Any

import fakeredis
from google.type.decimal_pb2 import Decimal
from trading.risk.v1 import risk_pb2 as pb
from trading.risk.v1.risk_port import RiskService
from trading.types.v1 import risk_pb2 as types
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.market_pb2 import Quote
from trading.types.v1.order_pb2 import OrderSpec
from trading.types.v1.risk_pb2 import RiskDecision

from runtime.client import client_for
from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids, derived_rng
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.progress import Progress
from runtime.rpc import P
from runtime.stores import Database, Streams
from runtime.times import to_timestamp
from services.risk.service import Risk
from services.risk.tests import messages
from services.risk.tests.scripted import (
    ScriptedMarketData,
    ScriptedOrders,
    ScriptedPortfolio,
    ScriptedStrategies,
)

ORDERS = Principal("orders", service="orders")
RITA = Principal("rita", frozenset({"RISK_OFFICER", "AUDITOR"}))
ANA = Principal("ana", frozenset({"TRADER"}))
APPROVAL_KEY = b"k" * 32


class Rig:
    """What a test of the service holds in its hands."""

    def __init__(self) -> None:
        self.clock = ReplayClock(messages.START_NS)
        self.marketdata = ScriptedMarketData()
        self.portfolio = ScriptedPortfolio()
        self.strategies = ScriptedStrategies()
        self.orders = ScriptedOrders()
        self.database = Database.inline_memory()
        self.progress = Progress()
        self.starts = 0
        self.service: Risk
        self.risk: RiskService  # As orders calls it, through all guards.
        self.as_rita: RiskService
        self.as_ana: RiskService

    @classmethod
    async def started(cls, *instruments: str) -> "Rig":
        """Return a running instance: 1,000,000 USD paid in, every instrument at 100."""
        rig = cls()
        rig.portfolio.pay(messages.ACCOUNT, "1000000")
        for name in instruments or (messages.INSTRUMENT,):
            rig.marketdata.instruments[name] = messages.instrument(name)
            last = Decimal(value="100")
            time = to_timestamp(messages.START_NS)
            rig.marketdata.quotes[name] = Quote(instrument=name, last=last, time=time)
        await rig.start()
        return rig

    async def start(self) -> None:
        """Start an instance on what the last one left behind."""
        self.starts += 1
        environment = Environment(
            service="risk",
            clock=self.clock,
            rng=derived_rng(1, "risk"),
            ids=Ids(derived_rng(self.starts, "ids")),
            database=self.database,
            streams=Streams(fakeredis.FakeAsyncRedis(), identity_of("risk")),
            progress=self.progress,
            tasks=Tasks("risk"),
        )
        self.service = Risk(
            environment,
            APPROVAL_KEY,
            self._peer,
        )
        self.risk, self.as_rita = self._client(ORDERS), self._client(RITA)
        self.as_ana = self._client(ANA)
        await self.service.start()

    async def stop(self) -> None:
        """End it in order; raises what crashed in the background."""
        await self.service.stop()

    async def restart(self) -> None:
        """Lose what is not committed, and start again."""
        database = self.database.crash()
        await self.service.stop()
        self.database = database
        await self.start()

    async def ask(self, spec: OrderSpec, version: int = 1, **changes: Any) -> RiskDecision:
        """Return the decision about an order."""
        name = f"{spec.client_order_id}:{version}"
        request = pb.ValidateOrderRequest(validation_id=name, order=spec, **changes)
        return (await self.risk.validate_order(request)).decision

    async def report(self, *events: OrderEvent) -> int:
        """Report order events; return the last sequence that is durable."""
        request = pb.ReportOrderEventsRequest(events=events)
        return (await self.risk.report_order_events(request)).last_sequence

    async def show(self, *candles: Any) -> None:
        """Publish candles, and return when risk has taken them in."""
        for candle in candles:
            self.marketdata.show(candle)
        for _ in range(10_000):
            if self.progress.read.get("candles", 0) >= len(self.marketdata.items):
                return
            await asyncio.sleep(0.001)
        raise TimeoutError("risk did not take the candles in")

    async def state(self) -> pb.GetRiskStateResponse:
        """Return where the account stands."""
        request = pb.GetRiskStateRequest(account=messages.ACCOUNT)
        return await self.as_rita.get_risk_state(request)

    async def set_mode(self, mode: str, scope: pb.Scope, key: str = "m1") -> None:
        """Set a trading mode as a risk officer."""
        await self.as_rita.set_trading_mode(mode_request(mode, scope, key))

    def _client(self, caller: Principal) -> RiskService:
        transport = LocalTransport([self.service], through=guarded)
        return client_for(RiskService, transport, caller=caller, rng=derived_rng(1, "test"))

    def _peer(self, port: type[P]) -> P:
        peers = [self.marketdata, self.portfolio, self.strategies, self.orders]
        transport = LocalTransport(peers, through=guarded)
        caller = Principal("risk", service="risk")
        return client_for(port, transport, caller=caller, rng=derived_rng(1, "peers"))


def mode_request(mode: str, scope: pb.Scope, key: str = "m1") -> pb.SetTradingModeRequest:
    """Return the request that sets a mode."""
    number = pb.TradingMode.Value(f"TRADING_MODE_{mode}")
    return pb.SetTradingModeRequest(scope=scope, mode=number, reason="a test", request_id=key)


def failed(decision: RiskDecision) -> list[str]:
    """Return the names of the reasons that failed."""
    return [
        types.RiskReason.Name(check.code).removeprefix("RISK_REASON_")
        for check in decision.checks
        if check.outcome == types.CHECK_OUTCOME_FAILED
    ]
