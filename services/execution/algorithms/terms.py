"""What a parent order asks of an algorithm, in lots, ticks and nanoseconds."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The algorithms that work an order in more than one child."""

    TWAP = "TWAP"
    VWAP = "VWAP"
    POV = "POV"
    ICEBERG = "ICEBERG"
    IMPLEMENTATION_SHORTFALL = "IMPLEMENTATION_SHORTFALL"


class Style(Enum):
    """How a slice meets the market (A3)."""

    PASSIVE_THEN_CROSS = "PASSIVE_THEN_CROSS"
    CROSS = "CROSS"


SCHEDULED = frozenset({Kind.TWAP, Kind.VWAP, Kind.IMPLEMENTATION_SHORTFALL})
NS_PER_S = 1_000_000_000
POV_INTERVAL_NS = NS_PER_S


@dataclass(frozen=True, slots=True)
class Impact:
    """What IMPLEMENTATION_SHORTFALL weighs: aversion λ, volatility σ per √s, impact η."""

    urgency: int = 3
    risk_aversion: float = 0.0
    volatility: float = 0.0
    impact: float = 0.0

    @property
    def is_modelled(self) -> bool:
        """Whether σ and η are given, so that the urgency does not matter."""
        return self.volatility > 0 and self.impact > 0


@dataclass(frozen=True, slots=True)
class Terms:
    """An algorithm with everything that it needs to know of its parent and instrument."""

    kind: Kind
    is_buy: bool
    quantity_lots: int
    start_ns: int
    end_ns: int  # 0: no window; the order's own life.
    limit_ticks: int = 0  # 0: no limit.
    collar_bps: int = 500
    interval_ns: int = 60 * NS_PER_S  # Between slices, as asked for.
    min_child_lots: int = 1
    max_child_lots: int = 0  # 0: no limit.
    display_lots: int = 0
    participation_ppm: int = 100_000
    style: Style = Style.PASSIVE_THEN_CROSS
    must_complete: bool = False
    is_native_iceberg: bool = False
    impact: Impact = Impact()

    @property
    def slice_count(self) -> int:
        """How many slices the window holds: n = min(⌈window/interval⌉, ⌊Q/min_child⌋), n ≥ 1."""
        by_time = -(-(self.end_ns - self.start_ns) // self.interval_ns)
        return max(1, min(by_time, self.quantity_lots // max(1, self.min_child_lots)))

    @property
    def spacing_ns(self) -> int:
        """How far two slices are apart: the window in equal parts; a second for POV."""
        if self.kind is Kind.POV:
            return POV_INTERVAL_NS
        if self.kind not in SCHEDULED:
            return 0
        return (self.end_ns - self.start_ns) // self.slice_count
