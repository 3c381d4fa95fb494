"""Generated bars as they come about: for a venue that walks the path its candles are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypedDict, Unpack

from services.marketdata.candles import Candle
from services.marketdata.generated import Generated, Generator, Line
from services.marketdata.jump_diffusion import STEPS
from services.marketdata.timeframes import Timeframe

FIRST_BARS = 256


class LiveStep(NamedTuple):
    """The price, in ticks, at the end of one tenth of a bar, and the lots traded in the tenth."""

    time_ns: int
    price: int
    lots: int


@dataclass(frozen=True, slots=True)
class LiveBar:
    """One bar: its ten steps, and the candle that they make."""

    open_ns: int
    close_ns: int
    steps: tuple[LiveStep, ...]
    candle: Candle


class Course(TypedDict):
    """Which course a generated instrument takes, and from when on."""

    index: int
    seed: int
    start_ns: int
    timeframe: Timeframe


def live_bars(dataset: str, instrument: str, **course: Unpack[Course]) -> Iterator[LiveBar]:
    """Yield the bars of a generated dataset from `start_ns` on, without end.

    They are the candles that StartReplay publishes for the same seed and start: the first step
    of a bar is a tenth after its open, the last is its close. `index` is the place of the
    instrument in `square-v1`; other datasets do not use it. Raises ValueError for what no
    generator makes.
    """
    return _endless(Generator(Line(dataset=dataset, instrument=instrument, **course)))


def _endless(generator: Generator) -> Iterator[LiveBar]:
    done = 0
    while True:
        count = max(FIRST_BARS, done)  # As many again: a generator may count from its start.
        yield from _live(generator.take(count))
        done += count


def _live(generated: Generated) -> Iterator[LiveBar]:
    series, steps = generated
    volumes = series.columns["volume"].values.tolist()
    for row, prices in enumerate(steps.tolist()):
        candle = series.candle(row)
        yield LiveBar(candle.open_ns, candle.close_ns, _steps(candle, prices, volumes[row]), candle)


def _steps(candle: Candle, prices: list[int], volume: int) -> tuple[LiveStep, ...]:
    """Return a bar's steps; its volume is spread over them evenly."""
    length_ns = candle.close_ns - candle.open_ns
    return tuple(
        LiveStep(
            candle.open_ns + length_ns * number // STEPS,
            price,
            volume * number // STEPS - volume * (number - 1) // STEPS,
        )
        for number, price in enumerate(prices, 1)
    )
