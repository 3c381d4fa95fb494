"""How well a parent was executed: slippage in basis points, schedule error, participation."""

from collections.abc import Sequence
from dataclasses import dataclass

BP = 10_000


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade of ours, in lots and ticks."""

    child: str
    lots: int
    ticks: float  # Venues may correct a price off the grid.
    time_ns: int
    is_maker: bool


@dataclass(frozen=True, slots=True)
class Printed:
    """What the market traded over the window, own trades included."""

    lots: int
    value: float  # Ticks times lots.


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A time before which so much of the parent was to be done."""

    time_ns: int
    target_lots: int


def average_ticks(fills: Sequence[Fill]) -> float | None:
    """Return the volume-weighted price of fills, None without any."""
    lots = sum(fill.lots for fill in fills)
    return sum(fill.lots * fill.ticks for fill in fills) / lots if lots else None


def slippage_bp(average: float | None, benchmark: float | None, *, is_buy: bool) -> float | None:
    """Return side·(average − benchmark)/benchmark in basis points: positive is a cost."""
    if average is None or not benchmark:
        return None
    return (1 if is_buy else -1) * (average - benchmark) / benchmark * BP


def market_vwap(printed: Printed | None) -> float | None:
    """Return the market's volume-weighted price, None without volume."""
    return printed.value / printed.lots if printed and printed.lots else None


def participation(fills: Sequence[Fill], printed: Printed | None) -> float | None:
    """Return our share of the market's volume over the window, None without volume."""
    if printed is None or not printed.lots:
        return None
    return sum(fill.lots for fill in fills) / printed.lots


def maker_share(fills: Sequence[Fill]) -> float:
    """Return the share of the quantity that traded as maker."""
    lots = sum(fill.lots for fill in fills)
    return sum(fill.lots for fill in fills if fill.is_maker) / lots if lots else 0.0


def schedule_error(
    fills: Sequence[Fill], checkpoints: Sequence[Checkpoint], quantity_lots: int
) -> float:
    """Return max|filled − C_k|/Q over the times by which each C_k was to be done."""
    errors = [
        abs(sum(f.lots for f in fills if f.time_ns < one.time_ns) - one.target_lots)
        for one in checkpoints
    ]
    return max(errors, default=0) / quantity_lots
