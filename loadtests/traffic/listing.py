"""Instruments for a whole market of candles: those of the platform, and as many more as it takes.

Each instrument has one candle a second, so twice the candles take twice the instruments; what the
platform does not know yet is imported, with one candle of long ago.
"""

from collections.abc import AsyncIterator
from functools import partial

from google.type.decimal_pb2 import Decimal
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2
from trading.types.v1.instrument_pb2 import INSTRUMENT_KIND_CRYPTO_SPOT, InstrumentSpec

from loadtests.traffic.callers import OPERATOR
from loadtests.traffic.insisting import few_at_once, insist
from loadtests.traffic.market import Market
from runtime.load.traffic import Ground

OF_PLATFORM = 100  # SQ00.XSIM to SQ99.XSIM.


def name_of(index: int) -> str:
    """Return the instrument at `index` of the market."""
    return f"SQ{index:02d}.XSIM" if index < OF_PLATFORM else f"LQ{index}.XSIM"


async def list_all(ground: Ground, market: Market) -> None:
    """Make every instrument of `market` known, and trade at the venue."""
    service = ground.port(MarketDataService, OPERATOR)
    known = {spec.instrument for spec in await market.specs()}
    missing = [name for name in market.instruments if name not in known]
    await few_at_once(partial(_import, service, name) for name in missing)
    await market.list_at_venue()


async def _import(service: MarketDataService, instrument: str) -> None:
    await insist(lambda: service.import_candles(_parts(instrument)))


async def _parts(instrument: str) -> AsyncIterator[pb.ImportCandlesRequest]:
    name = instrument.partition(".")[0]
    header = pb.ImportHeader(
        request_id=f"load-{name}",
        dataset=f"load-{name}",
        instrument=instrument,
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        adjustment=market_pb2.ADJUSTMENT_RAW,
        time_format=pb.TIME_FORMAT_RFC3339,
        spec=_spec(instrument),
        provider="load",
    )
    yield pb.ImportCandlesRequest(header=header)
    columns = {
        "time": pb.ImportColumn(texts=["1990-01-02T00:00:00Z"]),
        "close": pb.ImportColumn(texts=["100.00"]),
    }
    yield pb.ImportCandlesRequest(rows=pb.ImportRows(lines=[1], columns=columns))


def _spec(instrument: str) -> InstrumentSpec:
    return InstrumentSpec(
        instrument=instrument,
        name=f"Load {instrument}",
        kind=INSTRUMENT_KIND_CRYPTO_SPOT,
        currency="USD",
        tick_size=Decimal(value="0.01"),
        lot_size=Decimal(value="1"),
        min_quantity=Decimal(value="1"),
        max_quantity=Decimal(value="1000000"),
        min_notional=Decimal(value="1"),
        collar_bps=1_000,
        calendar="24/7",
        is_tradable=True,
        is_shortable=True,
        version=1,
    )
