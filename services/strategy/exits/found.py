"""What one bar means for a position."""

from dataclasses import dataclass

from services.strategy.positions import Position
from services.strategy.terms import Target


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out that was found: which rule, and the price it would have got.

    `level_atto` is the stop or the target that was touched; None for a time stop, which has
    none. `quantity_atto` is how much is given up, without sign; None: all of it.
    """

    level_atto: int | None
    source: str
    price_atto: int
    target: Target | None = None
    quantity_atto: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left of the position."""
        return self.quantity_atto is None


@dataclass(frozen=True, slots=True)
class Exits:
    """Out, or on with raised stops; of an exit in part both."""

    position: Position
    exit: Exit | None = None
    is_raised: bool = False
    is_intrabar_unknown: bool = False

    @property
    def has_news(self) -> bool:
        """Whether something must be told: a way out, or a nearer stop."""
        return self.exit is not None or self.is_raised
