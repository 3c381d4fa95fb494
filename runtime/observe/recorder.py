"""Keeps spans in memory, and writes them to a file of JSON lines as they end."""

import json
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from runtime.observe.spans import FORMAT, Span, decode, encode

SPANS_MAX = 100_000


class SpansError(Exception):
    """A file of spans cannot be read; the message says what to do."""


class SpanRecorder:
    """The newest spans, in the order in which they ended; all of them in `path`, if there is one.

    A file that cannot be written to is given up: `failure` says why, nobody's work suffers.
    """

    def __init__(self, path: Path | None = None, spans_max: int = SPANS_MAX) -> None:
        self.spans: deque[Span] = deque(maxlen=spans_max)
        self.failure: OSError | None = None
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8", buffering=1)
            self._write(json.dumps({"format": FORMAT}))

    def take(self, span: Span) -> None:
        """Keep `span`."""
        self.spans.append(span)
        if self._file is not None:
            self._write(encode(span))

    def lines(self) -> list[str]:
        """Return the canonical line of every span kept."""
        return [encode(span) for span in self.spans]

    def close(self) -> None:
        """Close the file; what is in memory stays."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _write(self, line: str) -> None:
        assert self._file is not None
        try:
            self._file.write(f"{line}\n")
        except OSError as error:
            self.failure, self._file = error, None


def load(path: Path) -> list[Span]:
    """Read a file of spans; raises SpansError naming file and line of what is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SpansError(f"spans {path} cannot be read: {error}") from error
    if not lines or f'"{FORMAT}"' not in lines[0]:
        raise SpansError(f"{path}:1: error: not a file of spans, must begin with format {FORMAT}")
    spans = []
    for number, line in enumerate(lines[1:], 2):
        try:
            spans.append(decode(json.loads(line)))
        except ValueError as error:
            raise SpansError(
                f"{path}:{number}: error: {error}: the line was cut off or edited; delete it"
            ) from error
    return spans


def breaches(spans: Iterable[Span]) -> list[str]:
    """Return what is wrong with finished traces: no root or several, orphans, equal ids.

    An empty list is the invariant `trace_complete`.
    """
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.context.trace_id, []).append(span)
    return [text for trace_id, found in by_trace.items() for text in _breaches(trace_id, found)]


def _breaches(trace_id: str, spans: Sequence[Span]) -> list[str]:
    ids = Counter(span.context.span_id for span in spans)
    roots = [span for span in spans if not span.parent_id]
    found = [f"trace {trace_id}: {n} spans have the id {one}" for one, n in ids.items() if n > 1]
    if len(roots) != 1:
        found.append(f"trace {trace_id} has {len(roots)} roots, must have one")
    found += [
        f"trace {trace_id}: the parent {span.parent_id} of {span.name} is missing"
        for span in spans
        if span.parent_id and span.parent_id not in ids
    ]
    return found
