"""What a kind of strategy is: registered, a kind is hosted like every other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.strategy.parameters import Parameter
from services.strategy.terms import Bar, Config, Point, Setting, Wish

KindState = Mapping[str, float]
"""What a kind remembers between bars, kept with the strategy as JSON."""

Parameters = Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class IndicatorNeed:
    """An indicator that a kind looks at; `name` is the output it finds in the point."""

    name: str
    kind: str
    parameters: Mapping[str, float]


def forget(state: KindState, bar: Bar) -> KindState:
    """Return `state`: most kinds look at one bar alone."""
    return state


@dataclass(frozen=True, slots=True)
class Kind:
    """The rules of one kind: pure functions of what they are given, no clock, no I/O.

    `prime` takes in earlier points, so that a start in mid-market makes no signal of the past.
    `evaluate` sees a warm point that has every needed value, and the bars up to it, newest last.
    `outputs` are the values that it always asks for; without those, or where `needed` is given
    those, it decides nothing; `needs_range` is for kinds that
    closes alone cannot serve. `remember` takes in each bar after it was decided on, and the one
    before the first. `history` is how many candles are wanted before it; 0: as its averages
    need.
    """

    name: str
    schema: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    indicators: Callable[[Parameters, bool], Sequence[IndicatorNeed]]
    warm_after: Callable[[Parameters], int]
    check: Callable[[Config], None]
    prime: Callable[[KindState, Mapping[str, float]], KindState]
    evaluate: Callable[[Setting, KindState, Sequence[Bar], Point], tuple[KindState, Wish | None]]
    is_reversing: Callable[[Parameters], bool]
    needs_range: bool = False
    remember: Callable[[KindState, Bar], KindState] = forget
    history: int = 0
    needed: Callable[[Parameters], Sequence[str]] | None = None

    def lacking(self, parameters: Parameters, values: Mapping[str, float]) -> bool:
        """Whether a value is missing without which nothing is decided."""
        names = self.outputs if self.needed is None else self.needed(parameters)
        return not all(map(values.__contains__, names))  # Quick: each candle comes by here.
