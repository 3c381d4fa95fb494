"""How a venue is: how it answered lately, and what it leaves unanswered."""

from collections import deque

Order = tuple[str, str]  # Account and name.
REMEMBERED = 100
NEWEST_WEIGHT = 0.1
REJECTS_MIN, REJECT_SHARE_MAX = 20, 0.5
UNANSWERED_MAX, UNANSWERED_S = 10, 30.0


class Health:
    """The venue's answers to orders. Times are seconds of the event loop."""

    def __init__(self) -> None:
        self.latency_s = 0.0  # Moving average; the newest answer weighs 0.1.
        self._rejects: deque[bool] = deque(maxlen=REMEMBERED)
        self._unanswered: dict[Order, float] = {}  # Since when, by order.
        self._is_measured = False

    @property
    def reject_share(self) -> float:
        """The share of the last hundred orders that it rejected."""
        return sum(self._rejects) / len(self._rejects) if self._rejects else 0.0

    def sent(self, order: Order, now_s: float) -> None:
        """Note an order that waits for its answer."""
        self._unanswered[order] = now_s

    def answered(self, order: Order) -> None:
        """Note that the venue has spoken of an order, in whatever way."""
        self._unanswered.pop(order, None)

    def judged(self, *, is_rejected: bool, taken_s: float) -> None:
        """Note how it answered an order, and how long it took."""
        self._rejects.append(is_rejected)
        weight = NEWEST_WEIGHT if self._is_measured else 1.0
        self._is_measured = True
        self.latency_s += weight * (taken_s - self.latency_s)

    def forgive(self) -> None:
        """Forget the rejects: a probe was answered, so orders may show how it is now."""
        self._rejects.clear()

    def ails(self, now_s: float) -> str:
        """Return what is wrong with it; empty when it is well."""
        if len(self._rejects) >= REJECTS_MIN and self.reject_share > REJECT_SHARE_MAX:
            return f"it rejected {self.reject_share:.0%} of its last {len(self._rejects)} orders"
        late = sum(now_s - since_s > UNANSWERED_S for since_s in self._unanswered.values())
        if late > UNANSWERED_MAX:
            return f"it left {late} orders unanswered for {UNANSWERED_S:.0f} s"
        return ""

    def oldest_unanswered(self) -> Order | None:
        """Return the order that has waited longest for an answer."""
        return next(iter(self._unanswered), None)
