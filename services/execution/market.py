"""What algorithms ask the market: the touch, the terms of trade, and how volume is spread."""

from dataclasses import dataclass

from trading.exchange.v1 import exchange_pb2
from trading.marketdata.v1.marketdata_pb2 import (
    ListCandlesRequest,
    ListInstrumentsRequest,
)
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2
from trading.types.v1.instrument_pb2 import INSTRUMENT_KIND_CRYPTO_SPOT, InstrumentSpec
from trading.types.v1.market_pb2 import CANDLE_KIND_OHLCV, Candle, Timeframe

from runtime.atto import to_atto
from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.times import to_ns
from services.execution.algorithms.prices import Touch
from services.execution.algorithms.profiles import SESSIONS, Bar, Profile, session_profile
from services.execution.venue import VenueLink

PAGE_SIZE = 1_000
CANDLES_PAGE = 5_000
CALL_S = 0.3
DAY_MINUTES = 24 * 60
COLLAR_BPS, CRYPTO_COLLAR_BPS = 500, 1_000
# Coarse ones first: a profile by half hours needs no more.
INTRADAY: tuple[tuple[Timeframe.ValueType, int], ...] = (
    (market_pb2.TIMEFRAME_MINUTE_30, 30),
    (market_pb2.TIMEFRAME_MINUTE_15, 15),
    (market_pb2.TIMEFRAME_MINUTE_5, 5),
    (market_pb2.TIMEFRAME_MINUTE_1, 1),
)
ANY_TIMEFRAME = (*(one for one, _ in INTRADAY), market_pb2.TIMEFRAME_DAY_1)


@dataclass(frozen=True, slots=True)
class Book:
    """A venue's market at one moment."""

    touch: Touch
    traded_lots: int  # Everything that has traded so far.
    trade_sequence: int


@dataclass(frozen=True, slots=True)
class TradeTerms:
    """The grid and the bounds of an instrument."""

    tick_atto: int
    lot_atto: int
    min_atto: int  # The smallest quantity.
    collar_bps: int


class Market:
    """Asks the venue and market data; what cannot be had is None, never made up."""

    def __init__(self, link: VenueLink, marketdata: MarketDataService) -> None:
        self._link = link
        self._marketdata = marketdata
        self._terms: dict[str, TradeTerms] = {}

    async def book(self, instrument: str, call: Call = Call(CALL_S)) -> Book | None:
        """Return the market now, None when the venue does not show it."""
        request = exchange_pb2.GetBookRequest(instrument=instrument, depth=1)
        try:
            found = await self._link.port.get_book(request, call)
        except ServiceError:
            return None
        bid = found.bids[0].price_ticks if found.bids else 0
        ask = found.asks[0].price_ticks if found.asks else 0
        return Book(Touch(bid, ask), found.traded_lots, found.trade_sequence)

    async def terms_of(self, instrument: str, call: Call) -> TradeTerms | None:
        """Return an instrument's terms, None when nobody knows it."""
        if instrument not in self._terms:
            await self._read_instruments(call)
        return self._terms.get(instrument)

    async def has_volumes(self, instrument: str, call: Call) -> bool:
        """Whether the instrument's newest candle tells how much traded; also without candles."""
        newest: Candle | None = None
        for timeframe in ANY_TIMEFRAME:
            found = await self._candles(instrument, timeframe, 1, call)
            if found and (newest is None or to_ns(found[-1].close_time) > to_ns(newest.close_time)):
                newest = found[-1]
        return newest is None or newest.kind == CANDLE_KIND_OHLCV

    async def profile(self, instrument: str, call: Call) -> Profile | None:
        """Return how volume was spread over the last 20 sessions, None without intraday volume."""
        for timeframe, minutes in INTRADAY:
            wanted = min(SESSIONS * DAY_MINUTES // minutes, CANDLES_PAGE)
            found = await self._candles(instrument, timeframe, wanted, call)
            bars = [
                Bar(to_ns(one.open_time), to_ns(one.close_time), float(one.volume.value))
                for one in found
                if one.kind == CANDLE_KIND_OHLCV
            ]
            if bars and (profile := session_profile(bars)) is not None:
                return profile
        return None

    async def _candles(
        self, instrument: str, timeframe: Timeframe.ValueType, count: int, call: Call
    ) -> list[Candle]:
        request = ListCandlesRequest(
            instrument=instrument, timeframe=timeframe, last_count=count, page_size=count
        )
        try:
            return list((await self._marketdata.list_candles(request, call)).candles)
        except ServiceError:
            return []

    async def _read_instruments(self, call: Call) -> None:
        request = ListInstrumentsRequest(page_size=PAGE_SIZE)
        while True:
            page = await self._marketdata.list_instruments(request, call)
            self._terms |= {spec.instrument: _terms(spec) for spec in page.instruments}
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _terms(spec: InstrumentSpec) -> TradeTerms:
    is_crypto = spec.kind == INSTRUMENT_KIND_CRYPTO_SPOT
    lot_atto = to_atto(spec.lot_size.value)
    return TradeTerms(
        tick_atto=to_atto(spec.tick_size.value),
        lot_atto=lot_atto,
        min_atto=max(lot_atto, to_atto(spec.min_quantity.value or "0")),
        collar_bps=spec.collar_bps or (CRYPTO_COLLAR_BPS if is_crypto else COLLAR_BPS),
    )
