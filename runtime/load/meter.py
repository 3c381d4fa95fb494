"""Takes down what happens in a run as cheaply as can be; what it means is reckoned afterwards."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.errors import ServiceError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ended:
    """Units of one series, in the order in which they ended. Times are of the loop, in s."""

    intended_s: Floats
    sent_s: Floats
    ended_s: Floats
    codes: NDArray[np.int8]  # Numbers of gRPC's status codes; 0 ended well.

    def of(self, chosen: NDArray[np.bool_]) -> "Ended":
        """Return those units that are chosen."""
        return Ended(
            self.intended_s[chosen], self.sent_s[chosen], self.ended_s[chosen], self.codes[chosen]
        )

    @property
    def latencies_s(self) -> Floats:
        """Return how long each took from its intended instant."""
        taken: Floats = self.ended_s - self.intended_s
        return taken

    @property
    def service_times_s(self) -> Floats:
        """Return how long each took from the instant at which it was really sent."""
        taken: Floats = self.ended_s - self.sent_s
        return taken


@dataclass(frozen=True)
class Delivered:
    """Messages of one stream, in the order in which they came."""

    sequences: NDArray[np.int64]
    ages_s: Floats  # NaN where that was not said, or before the measured time.


class Notes:
    """A meter that keeps everything: a few dozen bytes for each unit and each message."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._units: dict[str, _Units] = {}
        self._messages: dict[str, _Messages] = {}

    def ended(
        self, series: str, intended_s: float, sent_s: float, error: ServiceError | None = None
    ) -> None:
        """Count one unit of `series` that ends now; `error` is why it failed."""
        units = self._units.get(series)
        if units is None:
            units = self._units[series] = _Units()
        units.intended_s.append(intended_s)
        units.sent_s.append(sent_s)
        units.ended_s.append(self._now_s())
        units.codes.append(0 if error is None else error.code.value[0])

    def delivered(self, stream: str, sequence: int, age_s: float | None = None) -> None:
        """Count one message of a stream: its order, gaps, repeats, and how old it was."""
        messages = self._messages.get(stream)
        if messages is None:
            messages = self._messages[stream] = _Messages()
        messages.sequences.append(sequence)
        messages.ages_s.append(NAN if age_s is None else age_s)

    def begin(self) -> None:
        """Note that the measured time begins: messages that came before it have no age."""
        for messages in self._messages.values():
            messages.ages_s = array("d", [NAN]) * len(messages.ages_s)

    def units(self, first: dict[str, int] | None = None) -> dict[str, Ended]:
        """Return the units of each series from its `first` on, by default from the very first."""
        return {
            name: kept.since(first.get(name, 0) if first else 0)
            for name, kept in self._units.items()
        }

    def messages(self) -> dict[str, Delivered]:
        """Return the messages of each stream."""
        return {
            name: Delivered(np.array(kept.sequences, np.int64), np.array(kept.ages_s, float))
            for name, kept in self._messages.items()
        }


NAN = float("nan")


class _Units:
    def __init__(self) -> None:
        self.intended_s, self.sent_s, self.ended_s = array("d"), array("d"), array("d")
        self.codes = array("b")

    def since(self, first: int) -> Ended:
        # Copies: an array that somebody looks into cannot grow.
        return Ended(
            np.array(self.intended_s[first:], float),
            np.array(self.sent_s[first:], float),
            np.array(self.ended_s[first:], float),
            np.array(self.codes[first:], np.int8),
        )


class _Messages:
    def __init__(self) -> None:
        self.sequences, self.ages_s = array("q"), array("d")
