"""Parameters of a kind: their schema, checked before anything is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

from services.strategy.terms import StrategyRefused


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    name: str
    default: int
    minimum: int
    maximum: int

    def checked(self, value: object) -> float:
        """Return the number. Raises StrategyRefused."""
        is_number = isinstance(value, float | int) and not isinstance(value, bool)
        number = float(value) if is_number else nan  # type: ignore[arg-type]
        if self.minimum <= number <= self.maximum and number.is_integer():  # Never true of NaN.
            return number
        raise refused(self.name, f"{value!r}", f"a whole number in {self.minimum}..{self.maximum}")


@dataclass(frozen=True, slots=True)
class Real:
    """A number within bounds."""

    name: str
    default: float
    minimum: float
    maximum: float

    def checked(self, value: object) -> float:
        """Return the number. Raises StrategyRefused."""
        is_number = isinstance(value, float | int) and not isinstance(value, bool)
        number = float(value) if is_number else nan  # type: ignore[arg-type]
        if self.minimum <= number <= self.maximum:  # Never true of NaN.
            return number
        raise refused(self.name, f"{value!r}", f"a number in {self.minimum:g}..{self.maximum:g}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; the first is the default."""

    name: str
    words: tuple[str, ...]

    @property
    def default(self) -> str:
        """The word when none is given."""
        return self.words[0]

    def checked(self, value: object) -> str:
        """Return the word. Raises StrategyRefused."""
        if isinstance(value, str) and value in self.words:
            return value
        raise refused(self.name, f"{value!r}", f"one of {', '.join(self.words)}")


Parameter = Whole | Real | Choice


def complete(schema: Sequence[Parameter], given: Mapping[str, object]) -> dict[str, float | str]:
    """Return every parameter of `schema`, defaults filled in, in its order.

    Raises StrategyRefused(PARAMETER_INVALID) for what is unknown, of another type or out of
    its bounds; its `field` is the path.
    """
    known = {parameter.name for parameter in schema}
    for name in sorted(given.keys() - known):
        raise refused(name, "no parameter of this kind", f"one of {', '.join(sorted(known))}")
    return {p.name: p.checked(given.get(p.name, p.default)) for p in schema}


def refused(name: str, value: str, wanted: str) -> StrategyRefused:
    """Return the refusal of one parameter."""
    return StrategyRefused(
        "PARAMETER_INVALID",
        f"parameters.{name} is {value}, must be {wanted}",
        field=f"parameters.{name}",
    )
