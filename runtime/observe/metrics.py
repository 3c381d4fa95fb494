"""Counting things: the port that everybody counts through, and what a metric is.

Every metric is declared once, in `runtime/observe/declared.py`. What is not declared, or has
other labels, is an error in tests and is itself counted in production.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from runtime.measurements import Exemplar

Labels = Mapping[str, str]
Scrape = Callable[[], tuple[str, bytes]]  # Returns the content type and the body.
NO_LABELS: Labels = MappingProxyType({})
SERIES_MAX = 100  # Of one metric, labels that the contract closes left aside.
OTHER = "other"


class MetricsError(ValueError):
    """A metric was used as it is not declared: correct the use, or declare it."""


class MetricsPort(Protocol):
    """What services count through. Calls never fail because of a value, and never wait."""

    def inc_counter(self, name: str, labels: Labels = NO_LABELS, by: float = 1) -> None:
        """Add `by`, not negative, to a counter."""

    def observe_histogram(self, name: str, value: float, labels: Labels = NO_LABELS) -> None:
        """Count a value, not negative, in the unit that is declared."""

    def set_gauge(self, name: str, value: float, labels: Labels = NO_LABELS) -> None:
        """Say what something is now."""

    def get_http_handler(self) -> Scrape:
        """Return what answers a scrape; it may be called from any thread."""


class Kind(StrEnum):
    """How a metric behaves."""

    COUNTER = "counter"  # Only grows.
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Declared:
    """One metric. Its name ends with its unit; a counter's ends with `_total`."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()  # Of a histogram's buckets, in its unit.
    closed: frozenset[str] = frozenset()  # Labels whose values the contract closes.

    def key(self, labels: Labels) -> tuple[str, ...]:
        """Return the values of the labels in their order; raises KeyError for another set."""
        if len(labels) != len(self.labels):
            raise KeyError(", ".join(labels))
        return tuple([labels[name] for name in self.labels])


class Distribution(NamedTuple):
    """How observed values are spread: `buckets[i]` holds those up to `bounds[i]`, the last all."""

    bounds: tuple[float, ...]
    buckets: list[int]
    total: float
    exemplars: Mapping[int, Exemplar]

    @property
    def number(self) -> int:
        """How many values there are."""
        return sum(self.buckets)


class Reading(NamedTuple):
    """What one series is at this moment."""

    name: str
    value: float | Distribution
    labels: Labels = NO_LABELS


Reader = Callable[[], "list[Reading]"]  # A small collector: reads what somebody else keeps.
