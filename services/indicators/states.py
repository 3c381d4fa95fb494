"""Where every live indicator stands; the ones not used for longest make room and come back."""

from collections import OrderedDict

from services.indicators.running import Running

STATES_MAX = 10_000

LineId = tuple[int, str]
"""A watch and one of its instruments. Watches do not share: one may lag behind another."""


class States:
    """The kernel states of all watches, at most `limit`; what is gone is rebuilt from candles."""

    def __init__(self, limit: int = STATES_MAX) -> None:
        self._limit = limit
        self._lines: OrderedDict[LineId, list[Running]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, line: LineId) -> list[Running] | None:
        """Return where the indicators of `line` stand; None if that must be rebuilt."""
        states = self._lines.get(line)
        if states is not None:
            self._lines.move_to_end(line)
        return states

    def put(self, line: LineId, states: list[Running]) -> None:
        """Keep the states of `line`, at the expense of others if there are too many."""
        self.drop(line)
        self._lines[line] = states
        self._count += len(states)
        while self._count > self._limit and len(self._lines) > 1:
            self.drop(next(iter(self._lines)))

    def drop(self, line: LineId) -> None:
        """Forget where `line` stands."""
        self._count -= len(self._lines.pop(line, ()))
