"""Takes in a user's file: the messages of ImportCandles, as the domain's import sees them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from trading.marketdata.v1 import marketdata_pb2 as pb

from services.marketdata.calendars import ALWAYS_OPEN, CalendarUnknown, Instants
from services.marketdata.candles import Adjustment, Source
from services.marketdata.cell_times import TimeFormat, TimeRules
from services.marketdata.cells import Cells
from services.marketdata.grid import Grid, grid_of
from services.marketdata.imports import CandleImport, Imported, Layout
from services.marketdata.instruments import CATALOGUE, Instrument, InstrumentKind
from services.marketdata.library import ImportedLine, described
from services.marketdata.messages import instrument_of, timeframe_of
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.series import PRICES, Series
from services.marketdata.shelf import IMPORT_PREFIX

MAPPED = ("time", *PRICES, "volume", "quote_volume")


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import brings: the rows' verdict, the dataset's line, and a new or changed
    instrument, if there is one."""

    imported: Imported
    line: ImportedLine
    instrument: Instrument | None


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
    known = instruments.get(header.instrument)
    stated = _stated(header, known)
    layout = layout_of(header, stated or known)
    grid = layout.times.grid
    work = CandleImport(layout)
    async for message in messages:
        if message.HasField("header"):
            raise MarketDataRefused(
                Refusal.HEADER_MISSING, "a second header came: send one header, then rows only"
            )
        work.add(*cells_of(message.rows))
    imported = work.finish()
    series = imported.series
    room = grid.count(int(series.opens_ns[0]), int(series.opens_ns[-1]))
    line = described(series.source.dataset, series, room - len(series))
    if stated is None and (known is None or known.is_derived):
        stated = derived(series, known)
    return Taken(imported, line, None if stated == known else stated)


def derived(series: Series, known: Instrument | None = None) -> Instrument:
    """Return what the rows say of an instrument that nobody described.

    Ticks and lots are as fine as the numbers, those of earlier imports (`known`) included.
    """
    digits = min(-2, *(series.columns[n].exponent for n in PRICES if n in series.columns))
    volume = series.columns.get("volume")
    tick_size = Decimal(1).scaleb(digits)
    lot_size = Decimal(1).scaleb(volume.exponent if volume else 0)
    fresh = Instrument(
        instrument=series.instrument,
        name=series.instrument.partition(".")[0],
        kind=InstrumentKind.CRYPTO_SPOT,
        tick_size=tick_size,
        lot_size=lot_size,
        min_quantity=lot_size,
        collar_bps=1_000,
        calendar=ALWAYS_OPEN,
        is_derived=True,
    )
    if known is None:
        return fresh
    tick_size, lot_size = min(tick_size, known.tick_size), min(lot_size, known.lot_size)
    finer = replace(known, tick_size=tick_size, lot_size=lot_size, min_quantity=lot_size)
    return known if finer == known else replace(finer, version=known.version + 1)


def _stated(header: pb.ImportHeader, known: Instrument | None) -> Instrument | None:
    """Return what the header says of the instrument. Only what imports brought may change."""
    if not header.HasField("spec"):
        return None
    stated = instrument_of(header.spec)
    is_changed = known is not None and replace(stated, version=known.version) != known
    if stated.instrument != header.instrument or (is_changed and header.instrument in CATALOGUE):
        raise MarketDataRefused(
            Refusal.INSTRUMENT_DIFFERS,
            f"spec is {stated}, must be that of {header.instrument}, {known}: leave it out",
        )
    if known is None:
        return stated
    return replace(stated, version=known.version + is_changed)


def _grid(header: pb.ImportHeader, instrument: Instrument | None) -> Grid:
    calendar = instrument.calendar if instrument else ALWAYS_OPEN
    try:
        return grid_of(calendar, timeframe_of(header.timeframe))
    except CalendarUnknown as error:
        raise MarketDataRefused(Refusal.CALENDAR_UNKNOWN, str(error)) from None


def layout_of(header: pb.ImportHeader, instrument: Instrument | None = None) -> Layout:
    """Return what the rows are, of an instrument that may be unknown yet.

    Raises MarketDataRefused for a calendar or a zone that nobody knows.
    """
    grid = _grid(header, instrument)
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
        tick_size=instrument.tick_size if instrument and not instrument.is_derived else None,
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


def cells_of(rows: pb.ImportRows) -> tuple[Instants, dict[str, Cells]]:
    """Return the lines of a block and its columns."""
    lines = np.array(rows.lines, dtype=np.int64)
    return lines, {name: _cells(rows.columns[name]) for name in sorted(rows.columns)}


def _cells(column: pb.ImportColumn) -> Cells:
    if column.numbers:
        return Cells((), np.array(column.numbers, dtype=np.int64), column.exponent)
    return Cells(column.texts)
