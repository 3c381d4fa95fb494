"""A service at full speed for the benchmark: a file for its store, peers that cost nothing."""

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

from google.type.decimal_pb2 import Decimal
from trading.indicators.v1 import indicators_pb2
from trading.marketdata.v1 import marketdata_pb2
from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1 import indicator_pb2, instrument_pb2, market_pb2

from runtime.rpc import Call
from runtime.stores import Database
from runtime.times import to_ns
from services.strategy.tests.fakes import FakeIndicators, FakeMarket, candle
from services.strategy.tests.rig import Rig

NAMES = tuple(f"N{number:03}.XSIM" for number in range(100))


class ManyInstruments(FakeMarket):
    """Knows a hundred instruments."""

    async def list_instruments(
        self, request: marketdata_pb2.ListInstrumentsRequest, call: Call = Call()
    ) -> marketdata_pb2.ListInstrumentsResponse:
        """Answer all of them."""
        tick, lot = Decimal(value="0.01"), Decimal(value="1")
        return marketdata_pb2.ListInstrumentsResponse(
            instruments=[
                instrument_pb2.InstrumentSpec(
                    instrument=name,
                    currency="USD",
                    tick_size=tick,
                    lot_size=lot,
                    is_tradable=True,
                )
                for name in NAMES
            ]
        )


class ReadyIndicators(FakeIndicators):
    """Has every value ready; the averages cross on every fourth candle of an instrument."""

    def _point(
        self, request: indicators_pb2.WatchIndicatorsRequest, one: market_pb2.Candle
    ) -> indicators_pb2.WatchIndicatorsResponse:
        minute = to_ns(one.open_time) // 60_000_000_000
        fast = 101.0 if minute // 4 % 2 else 99.0
        values = {"fast": fast, "slow": 100.0, "move": 1.0}
        point = indicator_pb2.IndicatorPoint(open_time=one.open_time, values=values, is_warm=True)
        return indicators_pb2.WatchIndicatorsResponse(point=point, instrument=one.instrument)


async def signal_latencies_ms(candles_per_s: int, seconds: float, directory: Path) -> list[float]:
    """Return how long each signal took from its candle to its commit, in ms, ascending."""
    rig = Rig(ManyInstruments(), ReadyIndicators, Database.sqlite_file(directory / "s.sqlite"))
    async with rig:
        await rig.started(instruments=NAMES)
        shown: dict[tuple[str, int], float] = {}
        taken: list[float] = []
        reader = asyncio.create_task(_read(rig, shown, taken))
        count = round(candles_per_s * seconds)
        began_s = time.perf_counter()
        for number in range(count):
            due_s = began_s + number / candles_per_s
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            made = candle(number // len(NAMES), 100.0, instrument=NAMES[number % len(NAMES)])
            rig.clock.skip_to(max(rig.clock.now_ns(), to_ns(made.close_time)))
            shown[made.instrument, to_ns(made.open_time)] = due_s  # As intended, not as sent.
            rig.market.publish(made)
        await rig.settle()
        await asyncio.sleep(0.1)
        reader.cancel()
    return sorted(taken)


async def _read(rig: Rig, shown: dict[tuple[str, int], float], taken: list[float]) -> None:
    async with aclosing(rig.client.watch_signals(pb.WatchSignalsRequest())) as stream:
        async for message in stream:
            if not message.is_heartbeat:
                signal = message.signal
                due_s = shown[signal.instrument, to_ns(signal.candle_open_time)]
                taken.append((time.perf_counter() - due_s) * 1e3)
