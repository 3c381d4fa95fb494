"""The generators as sources of candles: bars in a row, each with the way the price went in it."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from services.marketdata import jump_diffusion, square
from services.marketdata.calendars import Instants
from services.marketdata.candles import Adjustment, Source
from services.marketdata.datasets import BUNDLED, SP500, read_series
from services.marketdata.instruments import PARKINSON_PREFIX, SP500_INDEX
from services.marketdata.jump_diffusion import Path, Terms, parkinson_sigma_year
from services.marketdata.series import PRICES, Column, Series
from services.marketdata.timeframes import DURATION_NS, Timeframe

CENTS = -2  # Both generators quote in whole cents, the tick of their instruments.
GENERATORS = (square.DATASET, jump_diffusion.DATASET)


class Numbers(NamedTuple):
    """The numbers of some bars in ticks and lots; `steps` has ten prices to a bar."""

    prices: dict[str, Instants]
    volumes: Instants
    steps: Instants


class Generated(NamedTuple):
    """Some candles, and the price in ticks at the end of each tenth of every one."""

    series: Series
    steps: Instants


class Bars(Protocol):
    """Makes the bars of one instrument, one after the other."""

    def bars(self, count: int) -> Numbers:
        """Return the next `count` bars."""


class SquareBars:
    """The bars of `square-v1`."""

    def __init__(self, seed: int, index: int) -> None:
        self._seed, self._index, self._done = seed, index, 0

    def bars(self, count: int) -> Numbers:
        """Return the next bars; it counts from the start anew, so ask for many at once."""
        cents = square.square_bars(self._seed, self._index, self._done + count)[self._done :]
        self._done += count
        prices = {name: cents[:, place] for place, name in enumerate(PRICES)}
        volumes = np.full(count, square.VOLUME, dtype=np.int64)
        return Numbers(prices, volumes, square.square_steps(cents))


class JumpDiffusionBars:
    """The bars of `synthetic-jd-v1`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def bars(self, count: int) -> Numbers:
        """Return the next bars."""
        bars = self._path.bars(count)
        prices = {
            "open": bars.opens,
            "high": np.maximum(bars.opens, bars.steps.max(axis=1)),
            "low": np.minimum(bars.opens, bars.steps.min(axis=1)),
            "close": bars.steps[:, -1],
        }
        return Numbers(prices, bars.volumes, bars.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Which candles to make: they begin at `start_ns`, on the grid of the timeframe."""

    dataset: str
    instrument: str
    timeframe: Timeframe
    seed: int
    start_ns: int
    index: int | None = None  # Of the square wave; None: the instrument's own.


class Generator:
    """The candles of one line, endlessly."""

    def __init__(self, line: Line) -> None:
        """Raises ValueError for what no generator makes."""
        _check(line)
        self._line = line
        self._bars = _bars(line)
        self._next_ns = line.start_ns

    def take(self, count: int) -> Generated:
        """Return the next `count` candles."""
        numbers = self._bars.bars(count)
        length_ns = DURATION_NS[self._line.timeframe]
        opens_ns = self._next_ns + np.arange(count, dtype=np.int64) * length_ns
        self._next_ns += count * length_ns
        columns = {name: Column(values, CENTS) for name, values in numbers.prices.items()}
        series = Series(
            instrument=self._line.instrument,
            timeframe=self._line.timeframe,
            source=_source(self._line),
            opens_ns=opens_ns,
            closes_ns=opens_ns + length_ns,
            columns=columns | {"volume": Column(numbers.volumes)},
        )
        return Generated(series, numbers.steps)


def generate_series(
    instrument: str, timeframe: Timeframe, *, seed: int, start_ns: int, count: int
) -> Series:
    """Return the first `count` candles of a generated instrument that starts at `start_ns`."""
    line = Line(
        dataset=_dataset_of(instrument),
        instrument=instrument,
        timeframe=timeframe,
        seed=seed,
        start_ns=start_ns,
    )
    return Generator(line).take(count).series


def path_of(line: Line) -> Path:
    """Return the path that a line of `synthetic-jd-v1` follows."""
    return Path(
        line.instrument,
        line.timeframe,
        seed=line.seed,
        start_ns=line.start_ns,
        terms=_terms(line.instrument),
    )


def _bars(line: Line) -> Bars:
    if line.dataset == square.DATASET:
        named = BUNDLED[square.DATASET].instruments
        index = named.index(line.instrument) if line.index is None else line.index
        return SquareBars(line.seed, index)
    return JumpDiffusionBars(path_of(line))


def _terms(instrument: str) -> Terms:
    """Return σ₀ as the instrument has it: 20 % a year, or what the S&P 500's ranges show."""
    is_estimated = instrument.startswith(PARKINSON_PREFIX)
    return Terms(sigma_year=_estimated_sigma_year()) if is_estimated else Terms()


@cache
def _estimated_sigma_year() -> float:
    index = read_series(SP500, SP500_INDEX[0].instrument)
    return parkinson_sigma_year(index.columns["high"].values, index.columns["low"].values)


def _check(line: Line) -> None:
    if line.dataset not in GENERATORS:
        raise ValueError(f"dataset is {line.dataset!r}, must be one of {', '.join(GENERATORS)}")
    if line.timeframe not in BUNDLED[line.dataset].timeframes:
        raise ValueError(f"{line.dataset} makes no {line.timeframe.name} candles")
    if line.start_ns % DURATION_NS[line.timeframe]:
        raise ValueError(
            f"start_ns is {line.start_ns}, must be a multiple of {line.timeframe.name}"
        )


def _dataset_of(instrument: str) -> str:
    for dataset in GENERATORS:
        if instrument in BUNDLED[dataset].instruments:
            return dataset
    raise ValueError(f"no generator makes {instrument}: see ListDatasets")


def _source(line: Line) -> Source:
    return Source(
        dataset=line.dataset,
        provider="plimsoll",
        adjustment=Adjustment.RAW,
        is_synthetic=True,
        process=line.dataset,
        seed=line.seed,
    )
