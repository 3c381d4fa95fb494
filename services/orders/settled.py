"""Which of a stream's entries are settled, though keys settle beside each other."""


class Settled:
    """Which signals are settled, and how far without a gap: keys settle beside each other."""

    def __init__(self) -> None:
        self.until = 0
        self._beyond: dict[int, None] = {}

    def __contains__(self, sequence: int) -> bool:
        return sequence <= self.until or sequence in self._beyond

    @property
    def has_gap(self) -> bool:
        """Whether one is settled before another that comes first."""
        return bool(self._beyond)

    def add(self, sequence: int) -> None:
        """Note a settled signal."""
        if sequence <= self.until:
            return
        self._beyond[sequence] = None
        while self.until + 1 in self._beyond:
            self.until += 1
            del self._beyond[self.until]
