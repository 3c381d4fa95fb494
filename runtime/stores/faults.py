"""What the simulated world may make a store do wrong."""

from dataclasses import dataclass


@dataclass(slots=True)
class StoreFaults:
    """The faults of one database; all off from the start. Change them at any time.

    `answers_to_lose`: so many next commits happen, but their callers get CommitUnknown.
    `commits_to_lose`: so many next commits do not happen, and their callers get CommitUnknown.
    `is_full`, `is_down`: every write (down: and read) is refused, nothing is committed.
    `delay_s`: every commit takes so long, in the loop's time.
    """

    answers_to_lose: int = 0
    commits_to_lose: int = 0
    is_full: bool = False
    is_down: bool = False
    delay_s: float = 0.0

    @property
    def is_any(self) -> bool:
        """Whether the next write must take notice."""
        return bool(
            self.answers_to_lose
            or self.commits_to_lose
            or self.is_full
            or self.is_down
            or self.delay_s
        )
