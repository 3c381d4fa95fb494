"""Keeps a log readable when one event comes again and again."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

MANY, SHOWN, WINDOW_S = 20, 10, 1.0
EVENTS_MAX = 1_000


@dataclass(slots=True)
class Window:
    """One event's lines of one second."""

    began_s: float
    count: int = 0
    held: list[str] = field(default_factory=list)


class Bursts:
    """Of twenty or more equal events in a second, ten are shown and the rest told in a sum.

    Whether there will be twenty nobody knows at the eleventh: those between are held back
    until the second is over, or they turn out to be too many.
    """

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()  # Lines left out, by logger.
        self._windows: OrderedDict[str, Window] = OrderedDict()  # The oldest first.

    def admit(self, event: str, now_s: float) -> bool:
        """Return whether the line of an event is written now; otherwise `hold` or drop it."""
        window = self._windows.get(event)
        if window is None:
            window = self._windows[event] = Window(now_s)
        window.count += 1
        return window.count <= SHOWN

    def hold(self, event: str, line: str) -> None:
        """Keep a line that was not admitted until it is known whether there are many."""
        window = self._windows[event]
        if window.count < MANY:
            window.held.append(line)
        else:
            window.held.clear()

    def due(self, now_s: float) -> list[tuple[str, int, list[str]]]:
        """Return what must be written of seconds that are over: event, left out, held lines."""
        found = []
        while self._windows:
            event, window = next(iter(self._windows.items()))
            is_over = now_s >= window.began_s + WINDOW_S or now_s < window.began_s
            if not is_over and len(self._windows) <= EVENTS_MAX:
                break
            del self._windows[event]
            left_out = window.count - SHOWN if window.count >= MANY else 0
            if left_out:
                self.dropped[event.partition(":")[0]] += left_out
            if left_out or window.held:
                found.append((event, left_out, window.held))
        return found

    @property
    def is_holding(self) -> bool:
        """Whether something must be written once its second is over."""
        return any(window.count > SHOWN for window in self._windows.values())
