"""Where a parent's quantity is: filled + working + doubtful + unscheduled, at every instant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ledger:
    """The four parts of a parent's quantity, in lots. None may be negative."""

    quantity_lots: int
    filled_lots: int = 0
    working_lots: int = 0
    doubtful_lots: int = 0

    def __post_init__(self) -> None:
        parts = (self.filled_lots, self.working_lots, self.doubtful_lots, self.unscheduled_lots)
        assert min(parts) >= 0, f"a part of {self} is negative: quantity is not conserved"

    @property
    def open_lots(self) -> int:
        """What may still trade, as far as anybody knows (A5)."""
        return self.working_lots + self.doubtful_lots

    @property
    def committed_lots(self) -> int:
        """What has traded or may still trade."""
        return self.filled_lots + self.open_lots

    @property
    def unscheduled_lots(self) -> int:
        """What has not been sent, or came back untraded."""
        return self.quantity_lots - self.committed_lots

    @property
    def is_filled(self) -> bool:
        """Whether all of it has traded."""
        return self.filled_lots == self.quantity_lots
