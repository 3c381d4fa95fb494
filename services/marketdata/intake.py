"""Takes in a user's file: the messages of ImportCandles, as the domain's import sees them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from trading.marketdata.v1 import marketdata_pb2 as pb

from services.marketdata.calendars import ALWAYS_OPEN, CalendarUnknown
from services.marketdata.candles import Adjustment, Source
from services.marketdata.cell_times import TimeFormat, TimeRules
from services.marketdata.cells import Cells
from services.marketdata.grid import Grid, grid_of
from services.marketdata.imports import CandleImport, Imported, Layout
from services.marketdata.instruments import Instrument, InstrumentKind
from services.marketdata.library import ImportedLine, described
from services.marketdata.messages import instrument_of, timeframe_of
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.series import PRICES, Series
from services.marketdata.shelf import IMPORT_PREFIX

MAPPED = ("time", *PRICES, "volume", "quote_volume")


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import brings: the rows' verdict, the dataset's line, a new instrument or None."""

    imported: Imported
    line: ImportedLine
    newcomer: Instrument | None


async def header_of(messages: AsyncIterator[pb.ImportCandlesRequest]) -> pb.ImportHeader:
    """Return the header, which comes first. Raises MarketDataRefused."""
    async for message in messages:
        if message.HasField("header"):
            return message.header
        break
    raise MarketDataRefused(
        Refusal.HEADER_MISSING, "the first message must be the header: send it before the rows"
    )


async def take_in(
    header: pb.ImportHeader,
    messages: AsyncIterator[pb.ImportCandlesRequest],
    instruments: Mapping[str, Instrument],
) -> Taken:
    """Judge every row of an import. Raises MarketDataRefused."""
    given = _given(header, instruments)
    grid = _grid(header, given)
    work = CandleImport(_layout(header, given, grid))
    async for message in messages:
        if message.HasField("header"):
            raise MarketDataRefused(
                Refusal.HEADER_MISSING, "a second header came: send one header, then rows only"
            )
        lines = np.array(message.rows.lines, dtype=np.int64)
        columns = message.rows.columns
        work.add(lines, {name: _cells(columns[name]) for name in sorted(columns)})
    imported = work.finish()
    series = imported.series
    room = grid.count(int(series.opens_ns[0]), int(series.opens_ns[-1]))
    line = described(series.source.dataset, series, room - len(series))
    is_known = header.instrument in instruments
    return Taken(imported, line, None if is_known else given or derived(series))


def derived(series: Series) -> Instrument:
    """Return what the rows say of an instrument that nobody described."""
    digits = min(series.columns[name].exponent for name in PRICES if name in series.columns)
    volume = series.columns.get("volume")
    lot_size = Decimal(1).scaleb(volume.exponent if volume else 0)
    return Instrument(
        instrument=series.instrument,
        name=series.instrument.partition(".")[0],
        kind=InstrumentKind.CRYPTO_SPOT,
        tick_size=Decimal(1).scaleb(digits),
        lot_size=lot_size,
        min_quantity=lot_size,
        collar_bps=1_000,
        calendar=ALWAYS_OPEN,
    )


def _given(header: pb.ImportHeader, instruments: Mapping[str, Instrument]) -> Instrument | None:
    """Return what is known of the instrument, or what the header says of it."""
    known = instruments.get(header.instrument)
    if not header.HasField("spec"):
        return known
    stated = instrument_of(header.spec)
    if stated.instrument == header.instrument and known in (None, stated):
        return stated
    raise MarketDataRefused(
        Refusal.INSTRUMENT_DIFFERS,
        f"spec is {stated}, must be that of {header.instrument}, {known}: leave it out",
    )


def _grid(header: pb.ImportHeader, instrument: Instrument | None) -> Grid:
    calendar = instrument.calendar if instrument else ALWAYS_OPEN
    try:
        return grid_of(calendar, timeframe_of(header.timeframe))
    except CalendarUnknown as error:
        raise MarketDataRefused(Refusal.CALENDAR_UNKNOWN, str(error)) from None


def _layout(header: pb.ImportHeader, instrument: Instrument | None, grid: Grid) -> Layout:
    names = {name: getattr(header.mapping, name) for name in MAPPED}
    return Layout(
        instrument=header.instrument,
        timeframe=timeframe_of(header.timeframe),
        source=Source(
            dataset=IMPORT_PREFIX + header.dataset,
            provider=header.provider,
            adjustment=Adjustment(header.adjustment),
        ),
        times=TimeRules(TimeFormat(header.time_format), _zone(header.timezone), grid),
        names=names | {"trade_count": header.mapping.trades},
        tick_size=instrument.tick_size if instrument else None,
        is_decimal_comma=header.is_decimal_comma,
        is_partial_allowed=header.is_partial_allowed,
    )


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MarketDataRefused(
            Refusal.TIMEZONE_UNKNOWN,
            f"timezone is {name!r}, must be an IANA name such as 'America/New_York'",
        ) from None


def _cells(column: pb.ImportColumn) -> Cells:
    if column.numbers:
        return Cells((), np.array(column.numbers, dtype=np.int64), column.exponent)
    return Cells(column.texts)
