"""How the calls to one target end, how long they take, and whether it can be reached at all."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from runtime.retry import RetryBudget

RECENT = 1_024  # So many of the last calls the quantiles speak of.


@dataclass(frozen=True)
class Standing:
    """Whether a target can be reached, as its breaker and its pool see it."""

    breaker: str = "CLOSED"
    open_since_s: float | None = None  # Of the event loop; None while the breaker is closed.
    endpoints: int = 0
    connected: int = 0  # Of the endpoints, those known to have a connection.
    is_stale: bool = False  # Where it is was last known so: whoever says it is away.


def _recent() -> deque[float]:
    return deque(maxlen=RECENT)


@dataclass
class ClientStats:
    """How the calls of one client, or of all clients of a target, ended.

    A repeated call counts once. Clients that share these figures share the budget of repeats.
    """

    calls: int = 0
    ok: int = 0
    failed: int = 0
    indefinite: int = 0  # Those of `failed` that may have happened all the same.
    retried: int = 0  # Repeats sent.
    over_budget: int = 0  # Repeats not sent because too many were.
    recent_s: deque[float] = field(default_factory=_recent, compare=False, repr=False)
    budget: RetryBudget = field(default_factory=RetryBudget, compare=False, repr=False)
    standing: Callable[[], Standing] = field(default=Standing, compare=False, repr=False)

    @property
    def p50_s(self) -> float | None:
        """The median of the last calls that ended, repeats included; None before the first."""
        return self._quantile_s(0.5)

    @property
    def p99_s(self) -> float | None:
        """What 99 of 100 of the last calls did not exceed; None before the first."""
        return self._quantile_s(0.99)

    def _quantile_s(self, share: float) -> float | None:
        if not self.recent_s:
            return None
        return sorted(self.recent_s)[ceil(share * len(self.recent_s)) - 1]
