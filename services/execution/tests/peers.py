"""Scripted peers of execution: risk that tells modes, and market data that knows ALPHA."""

import asyncio
from collections.abc import AsyncGenerator

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.risk.v1 import risk_pb2
from trading.risk.v1.risk_port import RiskService
from trading.types.v1.instrument_pb2 import INSTRUMENT_KIND_EQUITY, InstrumentSpec
from trading.types.v1.market_pb2 import Candle, Timeframe

from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.times import to_timestamp

ALPHA = "ALPHA.XSIM"
FIRM = risk_pb2.Scope(kind=risk_pb2.SCOPE_KIND_FIRM)


class ScriptedRisk(RiskService):
    """Tells the modes that a test sets, and beats every second unless it is silent."""

    def __init__(self) -> None:
        self.is_silent = False
        self._modes: list[risk_pb2.ScopedMode] = []
        self._changed = asyncio.Event()

    def set_mode(self, name: str, scope: risk_pb2.Scope = FIRM, *, since_ns: int = 0) -> None:
        """Tell a mode from now on."""
        mode = risk_pb2.ScopedMode(
            scope=scope,
            mode=risk_pb2.TradingMode.Value(f"TRADING_MODE_{name}"),
            since=to_timestamp(since_ns),
        )
        self._modes.append(mode)
        self._changed.set()

    async def watch_risk_events(
        self, request: risk_pb2.WatchRiskEventsRequest, call: Call = Call()
    ) -> AsyncGenerator[risk_pb2.WatchRiskEventsResponse, None]:
        if self.is_silent:
            raise ServiceError(StatusCode.UNAVAILABLE, "risk is out")
        told = len(self._modes)
        yield risk_pb2.WatchRiskEventsResponse(sequence=told, is_heartbeat=True, modes=self._modes)
        while True:
            self._changed.clear()
            for mode in self._modes[told:]:
                told += 1
                yield risk_pb2.WatchRiskEventsResponse(sequence=told, mode=mode)
            try:
                async with asyncio.timeout(1.0):
                    await self._changed.wait()
            except TimeoutError:
                if not self.is_silent:
                    yield risk_pb2.WatchRiskEventsResponse(sequence=told, is_heartbeat=True)


class ScriptedMarketData(MarketDataService):
    """Knows ALPHA, in cents and whole lots, and the candles that a test gives it."""

    def __init__(self) -> None:
        self.candles: dict[Timeframe.ValueType, list[Candle]] = {}
        self.spec = InstrumentSpec(
            instrument=ALPHA,
            kind=INSTRUMENT_KIND_EQUITY,
            currency="USD",
            tick_size=Decimal(value="0.01"),
            lot_size=Decimal(value="1"),
            collar_bps=500,
            calendar="24/7",
        )

    async def list_instruments(
        self, request: marketdata_pb2.ListInstrumentsRequest, call: Call = Call()
    ) -> marketdata_pb2.ListInstrumentsResponse:
        return marketdata_pb2.ListInstrumentsResponse(instruments=[self.spec])

    async def list_candles(
        self, request: marketdata_pb2.ListCandlesRequest, call: Call = Call()
    ) -> marketdata_pb2.ListCandlesResponse:
        kept = self.candles.get(request.timeframe, [])
        return marketdata_pb2.ListCandlesResponse(candles=kept[-request.last_count :])
