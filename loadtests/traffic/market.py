"""A market that stands still: the venue trades at one price, and that price never grows old."""

import asyncio
from collections.abc import Sequence
from functools import partial

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.exchange.v1 import exchange_pb2
from trading.exchange.v1.exchange_port import ExchangeControlService
from trading.marketdata.v1.marketdata_pb2 import ListInstrumentsRequest, PublishCandlesRequest
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2
from trading.types.v1.instrument_pb2 import InstrumentSpec

from loadtests.traffic.callers import FEED, HARNESS, TRADER
from loadtests.traffic.insisting import few_at_once, insist
from runtime.clock import SystemClock
from runtime.errors import ServiceError
from runtime.load.traffic import Ground
from runtime.times import NS_PER_S, to_timestamp

PRICE = "100.00"
BUY_AT, SELL_AT = "100.10", "99.90"  # Limits that meet the deep book around it at once.
# Traded around the clock, in cents. Each kind of traffic has instruments of its own.
TRADED = tuple(f"JD{number:02d}.XSIM" for number in range(16))
MINUTE_NS = 60 * NS_PER_S
PUBLISHED_AFTER_NS = NS_PER_S // 5  # The end of the minute: no clock is ahead by more.
PAGE = 1000


class Market:
    """Instruments at one price: at the venue, to any quantity, and as candles of a minute."""

    def __init__(self, ground: Ground, prefix: str, instruments: Sequence[str] = TRADED) -> None:
        self.instruments = tuple(instruments)
        self._prefix = prefix
        self._clock = SystemClock()
        self._control = ground.port(ExchangeControlService, HARNESS)
        self._marketdata = ground.port(MarketDataService, TRADER)
        self._feed = ground.port(MarketDataService, FEED)
        self._publishing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """List the instruments at the venue, and keep their price fresh until `close`."""
        await self.list_at_venue()
        await self._publish()
        self._publishing = asyncio.create_task(self._keep_fresh(), name="fresh prices")

    async def list_at_venue(self) -> None:
        """Let the venue trade the instruments. One without a control has a market of its own."""
        specs = {spec.instrument: spec for spec in await self.specs()}
        try:
            await few_at_once(partial(self._list, specs[name]) for name in self.instruments)
        except ServiceError as error:
            if error.code is not StatusCode.UNIMPLEMENTED:
                raise

    async def close(self) -> None:
        """Leave the price to grow old."""
        if self._publishing is not None:
            self._publishing.cancel()
            await asyncio.wait([self._publishing])

    async def specs(self) -> list[InstrumentSpec]:
        """Return every instrument that the platform knows."""
        found: list[InstrumentSpec] = []
        request = ListInstrumentsRequest(page_size=PAGE)
        while True:
            page = await insist(lambda: self._marketdata.list_instruments(request))
            found += page.instruments
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return found

    async def _list(self, spec: InstrumentSpec) -> None:
        name = f"{self._prefix}-{spec.instrument.partition('.')[0]}"
        mode = exchange_pb2.REFERENCE_MODE_LIVE_PATH
        listing = exchange_pb2.AdmitInstrumentRequest(spec=spec, mode=mode, request_id=name)
        await insist(lambda: self._control.admit_instrument(listing))
        point = exchange_pb2.PricePoint(
            time=to_timestamp(self._clock.now_ns()), price=Decimal(value=PRICE)
        )
        move = exchange_pb2.MoveReferenceRequest(
            instrument=spec.instrument, points=[point], request_id=name
        )
        await insist(lambda: self._control.move_reference(move))

    async def _keep_fresh(self) -> None:
        while True:
            now_ns = self._clock.now_ns()
            next_ns = now_ns - now_ns % MINUTE_NS + MINUTE_NS
            await self._clock.sleep_until(next_ns + PUBLISHED_AFTER_NS)
            await self._publish()

    async def _publish(self) -> None:
        """Publish the last whole minute; engines that share a market publish the same."""
        now_ns = self._clock.now_ns()
        close_ns = now_ns - now_ns % MINUTE_NS
        request = PublishCandlesRequest(request_id=f"{self._prefix}-{close_ns // MINUTE_NS}")
        request.candles.extend(flat_candle(name, close_ns) for name in self.instruments)
        await insist(lambda: self._feed.publish_candles(request))


def flat_candle(instrument: str, close_ns: int) -> market_pb2.Candle:
    """Return the candle of a minute in which the price stood still."""
    price = Decimal(value=PRICE)
    return market_pb2.Candle(
        instrument=instrument,
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        kind=market_pb2.CANDLE_KIND_OHLCV,
        open_time=to_timestamp(close_ns - MINUTE_NS),
        close_time=to_timestamp(close_ns),
        open=price,
        high=price,
        low=price,
        close=price,
        volume=Decimal(value="1000"),
        is_confirmed=True,
        source=market_pb2.DataSource(
            dataset="load",
            provider="load",
            adjustment=market_pb2.ADJUSTMENT_RAW,
            is_synthetic=True,
        ),
    )
