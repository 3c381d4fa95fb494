"""How far each service has written and read every stream: equal marks mean at rest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Progress:
    """One service's marks, shown as backlog gauges and awaited by whoever must see it settle.

    A writer marks the sequence it committed, each reader the sequence whose effect it
    committed. `busy` counts work in hand that no sequence shows yet (a call under way).
    """

    def __init__(self) -> None:
        self.written: dict[str, int] = {}
        self.read: dict[str, int] = {}
        self.busy: Counter[str] = Counter()

    def wrote(self, stream: str, sequence: int) -> None:
        """Record that `stream` is committed up to and including `sequence`."""
        self.written[stream] = max(sequence, self.written.get(stream, 0))

    def has_read(self, stream: str, sequence: int) -> None:
        """Record that everything of `stream` up to `sequence` has taken effect here."""
        self.read[stream] = max(sequence, self.read.get(stream, 0))

    @contextmanager
    def working(self, on: str) -> Iterator[None]:
        """Count one piece of work in hand for the length of the block."""
        self.busy[on] += 1
        try:
            yield
        finally:
            self.busy[on] -= 1


def lag(progresses: Mapping[str, Progress]) -> dict[str, int]:
    """Return what is not yet at rest: `reader<stream` or `service:work` to how much.

    Stream names are global: one service writes `signals`, any others may read it.
    """
    written = {s: n for p in progresses.values() for s, n in p.written.items()}
    behind = {}
    for service, progress in progresses.items():
        for stream, sequence in progress.read.items():
            if (count := written.get(stream, 0) - sequence) > 0:
                behind[f"{service}<{stream}"] = count
    for service, progress in progresses.items():
        for work, count in progress.busy.items():
            if count > 0:
                behind[f"{service}:{work}"] = count
    return behind
