"""What a strategy holds of one instrument, by its fills alone, and the stops it watches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from runtime.money import divide_half_even
from services.strategy.terms import Direction, Target


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution; the quantity is above zero for a buy.

    `stop_*`, `targets` and `signal_bar_atto` are those of its signal.
    """

    exec_id: str
    quantity_atto: int
    price_atto: int
    time_ns: int
    signal_id: str = ""
    stop_atto: int | None = None
    stop_source: str = ""
    targets: tuple[Target, ...] = ()
    signal_bar_atto: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A position and everything its exits need to know. Flat is the default."""

    quantity_atto: int = 0
    cost_atto2: int = 0  # Sum of price x quantity of what is held, exact.
    opened_ns: int = 0
    entries: int = 0  # How many signals built it up.
    signal_id: str = ""  # The last of them.
    initial_stop_atto: int | None = None
    stop_atto: int | None = None  # The initial stop, or what it was raised to.
    stop_source: str = ""
    is_break_even: bool = False
    is_entry_bar_adverse: bool | None = None  # None until the bar of the entry is over.
    targets: tuple[Target, ...] = ()
    signal_bar_atto: int | None = None
    tiers_reached: int = 0
    bars_held: int = 0  # Counted while a time stop is on.
    is_halved: bool = False  # By the time stop.
    leaving_signal_id: str = ""  # What is under way to close it or turn it round,
    leaving_until_ns: int = 0  # and until when it may still do so.

    @property
    def direction(self) -> Direction:
        """The side that is held."""
        if not self.quantity_atto:
            return Direction.NONE
        return Direction.LONG if self.quantity_atto > 0 else Direction.SHORT

    @property
    def entry_atto(self) -> int:
        """The average price of what is held."""
        return _average(self.cost_atto2, self.quantity_atto)

    @property
    def risk_atto(self) -> int:
        """R: the distance between entry and initial stop; 0 without a stop."""
        stop_atto = self.initial_stop_atto
        return 0 if stop_atto is None else abs(self.entry_atto - stop_atto)

    def is_leaving(self, now_ns: int) -> bool:
        """Whether an order to leave it may still be made, or be under way."""
        return bool(self.leaving_signal_id) and now_ns <= self.leaving_until_ns

    def without_leaving(self) -> "Position":
        """Return it after the order to leave it came to nothing."""
        return replace(self, leaving_signal_id="", leaving_until_ns=0)


FLAT = Position()


@lru_cache(maxsize=4_096)  # Asked for again and again while a position stands.
def _average(cost_atto2: int, quantity_atto: int) -> int:
    return divide_half_even(abs(cost_atto2), abs(quantity_atto))


def after_fill(position: Position, fill: Fill) -> Position:
    """Return the position after one more fill; a fill through zero closes, then opens."""
    held, quantity = position.quantity_atto, fill.quantity_atto
    total = held + quantity
    if not total:
        return FLAT
    if held and (held > 0) == (total > 0):
        if abs(total) < abs(held):
            cost = divide_half_even(
                position.cost_atto2 * abs(total), abs(held)
            )  # The rest keeps its average price.
            return replace(position, quantity_atto=total, cost_atto2=cost)
        return _built_up(position, fill, total)
    return Position(
        quantity_atto=total,
        cost_atto2=total * fill.price_atto,
        opened_ns=fill.time_ns,
        entries=1,
        signal_id=fill.signal_id,
        initial_stop_atto=fill.stop_atto,
        stop_atto=fill.stop_atto,
        stop_source=fill.stop_source,
        targets=fill.targets,
        signal_bar_atto=fill.signal_bar_atto,
    )


def after_fills(fills: Iterable[Fill], like: Position = FLAT) -> Position:
    """Return the position that `fills` make, with the stops of `like` if it is on their side."""
    position = FLAT
    for fill in fills:
        position = after_fill(position, fill)
    if position.direction is not like.direction or position.direction is Direction.NONE:
        return position
    return replace(like, quantity_atto=position.quantity_atto, cost_atto2=position.cost_atto2)


def _built_up(position: Position, fill: Fill, total: int) -> Position:
    is_new_entry = bool(fill.signal_id) and fill.signal_id != position.signal_id
    return replace(
        position,
        quantity_atto=total,
        cost_atto2=position.cost_atto2 + fill.quantity_atto * fill.price_atto,
        entries=position.entries + is_new_entry,
        signal_id=fill.signal_id or position.signal_id,
    )


def plain(position: Position) -> dict[str, Any]:
    """Return a position as values that JSON knows."""
    values = {name: getattr(position, name) for name in _NAMES}
    values["targets"] = [[one.price_atto, one.source, one.share] for one in position.targets]
    return values


def from_plain(values: Mapping[str, Any]) -> Position:
    """Return the position that `plain` made values of."""
    targets = tuple(Target(*one) for one in values.get("targets", ()))
    return Position(**{**values, "targets": targets})


_NAMES = tuple(field.name for field in fields(Position))
