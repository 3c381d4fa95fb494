"""The bundled datasets (rule D7): what is in them, and what must be said about them.

The data belongs to packages that are installed beside this one. Their files are read where
they lie, without importing the packages, which would take seconds; nothing is copied into
this repository.
"""

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.marketdata import jump_diffusion, square
from services.marketdata.calendars import NEW_YORK, Instants, sessions_of
from services.marketdata.candles import Adjustment, CandleKind, Source
from services.marketdata.instruments import (
    NASDAQ_INDEX,
    SP500_INDEX,
    SP500_INSTRUMENTS,
    SQUARE_INSTRUMENTS,
    SYNTHETIC_INSTRUMENTS,
    Instrument,
)
from services.marketdata.series import PRICES, UNKNOWN, Column, Series
from services.marketdata.timeframes import Timeframe

SP500_CLOSE = "sp500-20-close"
SP500 = "sp500-index"
NASDAQ = "nasdaq-index"
MICROS_PER_CENT = 10_000


class DatasetDamaged(RuntimeError):
    """A bundled file is missing, or is not the one whose facts are stated here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One history that can be replayed; a generator has no span of its own (None)."""

    name: str
    kind: CandleKind
    instruments: tuple[str, ...]
    timeframes: tuple[Timeframe, ...] = (Timeframe.DAY_1,)
    first_open_ns: int | None = None
    last_close_ns: int | None = None
    row_count: int = 0
    gap_count: int = 0
    adjustment: Adjustment = Adjustment.RAW
    is_synthetic: bool = False
    licence_note: str
    caveat: str = ""


def _ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def _names(instruments: Sequence[Instrument]) -> tuple[str, ...]:
    return tuple(item.instrument for item in instruments)


def _index_dataset(name: str, instruments: Sequence[Instrument], caveat: str) -> Dataset:
    return Dataset(
        name=name,
        kind=CandleKind.OHLCV,
        instruments=_names(instruments),
        first_open_ns=_ns("1999-01-04T14:30"),
        last_close_ns=_ns("2018-12-31T21:00"),
        row_count=5_031,
        licence_note="Bundled with the arch package (NCSA licence) for its examples; the"
        " package's licence is not the data's: use it for tests, do not pass it on.",
        caveat=f"An index is a number, not a thing one can buy: only {instruments[1].instrument},"
        f" the declared proxy, can be traded. Prices are rounded to 0.01.{caveat}",
    )


BUNDLED = {
    item.name: item
    for item in (
        Dataset(
            name=SP500_CLOSE,
            kind=CandleKind.CLOSE_ONLY,
            instruments=_names(SP500_INSTRUMENTS),
            first_open_ns=_ns("1990-01-02T14:30"),
            last_close_ns=_ns("2022-12-28T21:00"),
            row_count=8_313,
            adjustment=Adjustment.TOTAL_RETURN,
            licence_note="Bundled with the skfolio package (BSD licence) for its examples; the"
            " package's licence is not the data's: use it for tests, do not pass it on.",
            caveat="Closes adjusted for splits and dividends: not prices anybody could have"
            " traded at. No range, no volume. Only names that lived through the whole span.",
        ),
        _index_dataset(SP500, SP500_INDEX, ""),
        _index_dataset(
            NASDAQ,
            NASDAQ_INDEX,
            " The volumes of 2015-05-12 and 2018-01-09 are unknown (0 in the source).",
        ),
        Dataset(
            name=square.DATASET,
            kind=CandleKind.OHLCV,
            instruments=_names(SQUARE_INSTRUMENTS),
            timeframes=square.TIMEFRAMES,
            is_synthetic=True,
            licence_note="Made here by a generator.",
            caveat="Carries no market meaning: a square wave for load tests.",
        ),
        Dataset(
            name=jump_diffusion.DATASET,
            kind=CandleKind.OHLCV,
            instruments=_names(SYNTHETIC_INSTRUMENTS),
            timeframes=jump_diffusion.TIMEFRAMES,
            is_synthetic=True,
            licence_note="Made here by a generator.",
            caveat="Not market data: a jump diffusion. Each timeframe is a path of its own, not"
            " the sum of shorter candles.",
        ),
    )
}


def read_series(dataset: str, instrument: str) -> Series:
    """Return the whole recorded history of `instrument` in a bundled `dataset`.

    Raises DatasetDamaged when the file is not the one whose facts are stated.
    """
    days, columns = _TABLES[dataset](instrument)
    sessions = sessions_of(NEW_YORK)
    first = int(np.searchsorted(sessions.days, days[0]))
    span = slice(first, first + len(days))
    # One comparison proves that every session is there, once, and nothing else.
    if not np.array_equal(sessions.days[span], days):
        raise DatasetDamaged(f"{dataset} is not exactly the sessions of {NEW_YORK}: reinstall it")
    series = Series(
        instrument=instrument,
        timeframe=Timeframe.DAY_1,
        source=_source(BUNDLED[dataset], instrument),
        opens_ns=sessions.opens_ns[span],
        closes_ns=sessions.closes_ns[span],
        columns=columns,
    )
    return _checked(series, BUNDLED[dataset])


def _source(dataset: Dataset, instrument: str) -> Source:
    return Source(
        dataset=dataset.name,
        provider="skfolio" if dataset.name == SP500_CLOSE else "arch",
        adjustment=dataset.adjustment,
        is_proxy=instrument in _PROXIES,
    )


def _checked(series: Series, dataset: Dataset) -> Series:
    """Return `series` when it has the stated length and only valid prices."""
    close = series.columns["close"].values
    is_valid = len(series) == dataset.row_count and bool((close > 0).all())
    if "open" in series.columns:
        opens, highs, lows = (series.columns[name].values for name in ("open", "high", "low"))
        is_valid &= bool((lows > 0).all())
        is_valid &= bool((lows <= np.minimum(opens, close)).all())
        is_valid &= bool((highs >= np.maximum(opens, close)).all())
    if not is_valid:
        raise DatasetDamaged(f"{dataset.name}: {series.instrument} breaks its facts: reinstall it")
    return series


Table = tuple[Instants, dict[str, Column]]


def _sp500_close(instrument: str) -> Table:
    header, rows = _csv("skfolio", "datasets/data/sp500_dataset.csv.gz")
    place = header.index(instrument.partition(".")[0])
    closes = np.array([row[place] for row in rows], dtype=np.float64)
    return _iso_days(tuple(row[0] for row in rows)), {"close": Column(_scaled(closes, 3), -3)}


def _index(file: str) -> Callable[[str], Table]:
    def read(_instrument: str) -> Table:
        header, rows = _csv("arch", f"data/{file}/{file}.csv.gz")
        cells = np.array([row[1:] for row in rows], dtype=np.float64)
        columns = {
            name: Column(cents_of(cells[:, header.index(name.capitalize()) - 1]), -2)
            for name in PRICES
        }
        volumes = cells[:, header.index("Volume") - 1].astype(np.int64)
        # Nobody trades nothing in a day: a zero says that the source does not know.
        columns["volume"] = Column(np.where(volumes == 0, UNKNOWN, volumes))
        return _american_days([row[0] for row in rows]), columns

    return read


@cache
def _csv(package: str, path: str) -> tuple[list[str], list[list[str]]]:
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise DatasetDamaged(f"package {package} is not installed: install it to read {path}")
    with gzip.open(Path(places[0]) / path, "rt", encoding="ascii") as file:
        header, *lines = file.read().splitlines()
    return header.split(","), [line.split(",") for line in lines]


def _scaled(values: npt.NDArray[np.float64], digits: int) -> Instants:
    return np.asarray(np.rint(values * 10**digits), dtype=np.int64)


def cents_of(prices: npt.NDArray[np.float64]) -> Instants:
    """Return prices as cents, rounded half to even; they have at most six decimals."""
    micros = _scaled(prices, 6)
    cents, rest = np.divmod(micros, MICROS_PER_CENT)
    is_up = (2 * rest > MICROS_PER_CENT) | ((2 * rest == MICROS_PER_CENT) & (cents % 2 == 1))
    return np.asarray(cents + is_up)


@cache
def _iso_days(dates: tuple[str, ...]) -> Instants:
    return np.array(dates, dtype="datetime64[D]").astype(np.int64)


def _american_days(dates: Sequence[str]) -> Instants:
    parts = [date.split("/") for date in dates]
    return _iso_days(tuple(f"{year}-{month:0>2}-{day:0>2}" for month, day, year in parts))


_PROXIES = frozenset(_names([SP500_INDEX[1], NASDAQ_INDEX[1]]))
_TABLES: dict[str, Callable[[str], Table]] = {
    SP500_CLOSE: _sp500_close,
    SP500: _index("sp500"),
    NASDAQ: _index("nasdaq"),
}
