"""The order in which an account's reports apply: by the venue's sequence, without a gap (X8)."""

from collections.abc import Iterable, Mapping, Sequence

from trading.types.v1.execution_pb2 import ExecutionReport


def in_sequence(reports: Sequence[ExecutionReport]) -> list[ExecutionReport]:
    """Return reports so that those of one account are in the venue's sequence.

    Places are kept: only which report of an account stands at which of its places may change.
    """
    turns: dict[str, list[ExecutionReport]] = {}
    for report in reports:
        turns.setdefault(report.account, []).append(report)
    for ordered in turns.values():
        ordered.sort(key=lambda report: -report.venue_sequence)
    return [turns[report.account].pop() for report in reports]


def with_gap(cursors: Mapping[str, int], reports: Iterable[ExecutionReport]) -> list[str]:
    """Return the accounts of which a report is missing before one of these, in order."""
    reached = dict(cursors)
    missing: dict[str, None] = {}
    for report in reports:
        known = reached.get(report.account, 0)
        if report.venue_sequence > known + 1:
            missing[report.account] = None
        reached[report.account] = max(known, report.venue_sequence)
    return list(missing)


def advanced(cursors: Mapping[str, int], reports: Iterable[ExecutionReport]) -> dict[str, int]:
    """Return how far the accounts of these reports are once they are applied."""
    reached: dict[str, int] = {}
    for report in reports:
        known = reached.get(report.account, cursors.get(report.account, 0))
        reached[report.account] = max(known, report.venue_sequence)
    return reached
