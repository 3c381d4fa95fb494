"""Endless streams that resume without a gap: the server's side of every Watch RPC (rule O7)."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
BUFFER_SIZE = 1_024
HEARTBEAT_S = 1.0
PAGE_SIZE = 256

Load = Callable[[int, int], Awaitable[Sequence[tuple[int, T]]]]


@dataclass(frozen=True, slots=True)
class Delivery(Generic[T]):
    """One message of a watch: an item, or a heartbeat when `item` is None."""

    sequence: int
    item: T | None

    @property
    def is_heartbeat(self) -> bool:
        """Whether this tells only how far the stream is."""
        return self.item is None


class Feed(Generic[T]):
    """What one service publishes to its watchers: items with gap-free sequences from 1.

    Call `publish` after the commit. Sequences must be given out inside the transaction, so
    none is ever missing; two writers may publish the wrong way round, the feed puts it right.
    """

    def __init__(self, service: str, sequence: int = 0) -> None:
        """Start after `sequence`, the last one in the store."""
        raise NotImplementedError

    @property
    def sequence(self) -> int:
        """The last sequence published without a gap."""
        raise NotImplementedError

    def publish(self, sequence: int, item: T) -> None:
        """Show a committed item to every watcher."""
        raise NotImplementedError

    def forget_until(self, sequence: int) -> None:
        """Say that the store keeps nothing up to `sequence`: older watches get OUT_OF_RANGE."""
        raise NotImplementedError

    def watch(
        self,
        after_sequence: int,
        load: Load[T],
        matches: Callable[[T], bool] = lambda item: True,
    ) -> AsyncGenerator[Delivery[T], None]:
        """Yield a heartbeat with the current sequence, then every matching item, endlessly.

        Items after `after_sequence` come from the store (`load(after, limit)`, in order), then
        live, without a gap; a heartbeat whenever a second passed with nothing to send. Raises
        OUT_OF_RANGE when the store no longer has what follows `after_sequence`, and
        RESOURCE_EXHAUSTED, with the last delivered sequence in the ErrorInfo, when the
        subscriber falls 1,024 items behind: it resumes from there. Ends when the feed is closed.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End every watch."""
        raise NotImplementedError
