"""What servers say of the same run: their own histograms and what they used, by their metrics.

A page is read before the measured phase and after it; the difference is what the run did. The
figures of server and generator differ by what lies between them: queues and the wire.
"""

import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 5.0
DURATIONS, ENDED = "rpc_duration_seconds_bucket", "rpc_requests_total"
CPU, MEMORY = "process_cpu_seconds_total", "process_resident_memory_bytes"


@dataclass(frozen=True)
class Page:
    """Where a process shows its metrics, and how it is reached where it asks for certificates."""

    url: str  # "http://127.0.0.1:9100/metrics"
    context: ssl.SSLContext | None = None  # For https.
    server_name: str = ""  # What the server's certificate is for, if not its address.


@dataclass(frozen=True)
class Spread:
    """Durations of one method's calls by upper bound; the last bound is infinite."""

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    failed: int = 0  # Of them, by any other code than OK.

    @property
    def count(self) -> int:
        """Return how many calls ended."""
        return sum(self.counts)

    def at_most_s(self, share: float) -> float:
        """Return the upper bound of the bucket in which the quantile `share` lies."""
        wanted, below = share * self.count, 0
        for bound_s, count in zip(self.bounds_s, self.counts, strict=True):
            below += count
            if below >= wanted:
                return bound_s
        return self.bounds_s[-1]


@dataclass(frozen=True)
class Use:
    """What one process used meanwhile."""

    cpu_s: float
    rss_bytes: float


@dataclass(frozen=True)
class Served:
    """What servers did between two readings."""

    methods: Mapping[str, Spread] = field(default_factory=dict)  # By label.
    processes: Mapping[str, Use] = field(default_factory=dict)  # By name of the instance.

    @property
    def cpu_s(self) -> float:
        """Return the processor seconds of all processes."""
        return sum(use.cpu_s for use in self.processes.values())

    def to_object(self) -> dict[str, Any]:
        """Return this as JSON has it; an infinite bound is null there."""
        return {
            "methods": {
                label: {
                    "bounds_s": [None if b == float("inf") else b for b in spread.bounds_s],
                    "counts": list(spread.counts),
                    "failed": spread.failed,
                }
                for label, spread in self.methods.items()
            },
            "processes": {
                name: {"cpu_s": use.cpu_s, "rss_bytes": use.rss_bytes}
                for name, use in self.processes.items()
            },
        }

    @classmethod
    def from_object(cls, told: Mapping[str, Any]) -> "Served":
        """Return what `to_object` wrote."""
        methods = {
            label: Spread(
                tuple(float("inf") if b is None else b for b in spread["bounds_s"]),
                tuple(spread["counts"]),
                spread["failed"],
            )
            for label, spread in told["methods"].items()
        }
        return cls(methods, {name: Use(**use) for name, use in told["processes"].items()})


# Of one reading: each sample by its name and the labels that matter.
Reading = dict[tuple[str, ...], float]


def read(pages: Iterable[Page]) -> Reading:
    """Return what all pages show now. Raises OSError for one that does not answer."""
    return read_texts(map(_text, pages))


def read_texts(texts: Iterable[str]) -> Reading:
    """Return what pages say, added up over the processes that serve a method."""
    found: Reading = {}
    for text in texts:
        for key, value in _samples(text):
            found[key] = found.get(key, 0.0) + value
    return found


def between(before: Reading, after: Reading) -> Served:
    """Return what happened from `before` to `after`; a process that is new began at nothing."""
    grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
    labels = sorted({key[1] for key in after if key[0] == DURATIONS})
    spreads = {label: _spread(grown, label) for label in labels}
    names = sorted({key[1] for key in after if key[0] == CPU})
    return Served(
        {label: spread for label, spread in spreads.items() if spread.count},
        {name: Use(grown[CPU, name], after.get((MEMORY, name), 0.0)) for name in names},
    )


def _spread(grown: Reading, label: str) -> Spread:
    buckets = sorted(
        (float(key[2]), value) for key, value in grown.items() if key[:2] == (DURATIONS, label)
    )
    counts, below = [], 0.0
    for _, value in buckets:  # Prometheus counts in each bucket those below it, too.
        counts.append(round(value - below))
        below = value
    failed = sum(v for key, v in grown.items() if key[:2] == (ENDED, label) and key[2] != "OK")
    return Spread(tuple(bound for bound, _ in buckets), tuple(counts), round(failed))


def _samples(text: str) -> Iterator[tuple[tuple[str, ...], float]]:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    families: Iterable[Any] = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    for sample in (sample for family in families for sample in family.samples):
        labels = sample.labels
        if sample.name in {CPU, MEMORY}:
            yield (sample.name, labels.get("instance_name", "")), sample.value
        elif labels.get("side") == "server" and sample.name == DURATIONS:
            yield (sample.name, labels["method"], labels["le"]), sample.value
        elif labels.get("side") == "server" and sample.name == ENDED:
            yield (sample.name, labels["method"], labels["code"]), sample.value


def _text(page: Page) -> str:
    link = _connection(page)
    try:
        link.request("GET", urlsplit(page.url).path, headers={"Connection": "close"})
        answer = link.getresponse()
        if answer.status != 200:
            raise OSError(f"{page.url} answers {answer.status}, must be 200")
        return answer.read().decode("utf-8")
    except HTTPException as error:
        raise OSError(f"{page.url} does not speak HTTP: {error!r}") from error
    finally:
        link.close()


def _connection(page: Page) -> HTTPConnection:
    at = urlsplit(page.url)
    if at.scheme == "http":
        return HTTPConnection(at.hostname or "", at.port, timeout=TIMEOUT_S)
    if page.context is None:
        raise ValueError(f"{page.url} is https: give the context that shows a certificate")
    link = HTTPSConnection(at.hostname or "", at.port, timeout=TIMEOUT_S, context=page.context)
    if page.server_name:  # HTTPSConnection asks for a certificate of the address alone.
        plain = HTTPConnection(at.hostname or "", at.port, timeout=TIMEOUT_S)
        plain.connect()
        link.sock = page.context.wrap_socket(plain.sock, server_hostname=page.server_name)
    return link
