"""Whether a store is there: what failures and answers make of it, and when to ask again."""

from dataclasses import dataclass

FIRST_PROBE_S, LAST_PROBE_S = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class Absence:
    """A store that does not answer: since when, and what it last said."""

    since_ns: int
    reason: str


class Presence:
    """One store as its users see it: it is away from a failure to the next answer."""

    def __init__(self) -> None:
        self.absence: Absence | None = None
        self._pause_s = FIRST_PROBE_S

    @property
    def is_away(self) -> bool:
        """Whether the store failed and has not answered since."""
        return self.absence is not None

    def failed(self, now_ns: int, reason: str) -> bool:
        """Note a failure; returns whether the store was there before."""
        was_there = self.absence is None
        since_ns = now_ns if self.absence is None else self.absence.since_ns
        self.absence = Absence(since_ns, reason)
        return was_there

    def answered(self) -> bool:
        """Note an answer; returns whether the store was away before."""
        was_away = self.absence is not None
        self.absence, self._pause_s = None, FIRST_PROBE_S
        return was_away

    def next_probe_s(self) -> float:
        """Return how long to wait before asking again: 1, 2, 4 … 30 s."""
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, LAST_PROBE_S)
        return pause_s
