"""Turns what the venue reported into journals, each report once, busts and corrections too.

Source: specification of the pipeline, section 11 (P1 to P5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from services.portfolio.ledger import Journal, JournalKind, check_balanced, entries_between
from services.portfolio.positions import FLAT, Fill, Position, book, replay

Key = tuple[str, str]  # Account and instrument.
EXTERNAL = "external"  # The strategy of orders that nobody here made (P9).


class ReportKind(IntEnum):
    """What an execution report says about money."""

    TRADE = 1
    BUST = 2
    CORRECTION = 3


@dataclass(frozen=True, slots=True)
class Report:
    """An execution report that touches money."""

    kind: ReportKind
    fill: Fill  # Of a bust only the names count.
    refers_to: str  # The exec id that a bust or correction takes back, or nothing.
    digest: bytes
    time_ns: int
    strategy_id: str = ""  # Whose order it was.

    @property
    def key(self) -> Key:
        """Return whose position it moves."""
        return self.fill.account, self.fill.instrument


@dataclass(frozen=True, slots=True)
class Kept:
    """A fill as the books hold it now."""

    fill: Fill  # As last corrected; `exec_id` stays that of the first report.
    corrected_by: str = ""
    is_busted: bool = False

    def answers_to(self, exec_id: str) -> bool:
        """Return whether a bust or correction that names `exec_id` means this fill."""
        return exec_id in (self.fill.exec_id, self.corrected_by)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A report that was not booked, or that nobody expected, and why."""

    account: str
    exec_id: str
    code: str
    text: str


@dataclass(slots=True)
class Booking:
    """One unit of work over the books: what it read, and what must be stored afterwards."""

    positions: Mapping[Key, Position]
    known: Mapping[tuple[str, str], bytes]  # (account, exec id) to the digest booked.
    logs: Mapping[Key, Sequence[Kept]]  # The fills of positions that a bust or correction names.
    journals: list[Journal] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)  # One per journal.
    changed: dict[Key, Position] = field(default_factory=dict)
    added: list[Fill] = field(default_factory=list)
    amended: dict[tuple[str, str], Kept] = field(default_factory=dict)
    anomalies: list[Anomaly] = field(default_factory=list)
    _seen: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def apply(self, report: Report) -> None:
        """Book `report`; a repeat changes nothing, a contradicting repeat is an anomaly."""
        name = (report.fill.account, report.fill.exec_id)
        booked = self._seen.get(name) or self.known.get(name)
        if booked == report.digest:
            return
        if booked is not None:
            self._refuse(report, "CONFLICTING_EXECUTION", "booked before with other content")
        elif report.kind is ReportKind.TRADE:
            self._book_trade(report)
        else:
            self._amend(report)

    def _book_trade(self, report: Report) -> None:
        self.added.append(report.fill)
        if report.strategy_id == EXTERNAL:
            self._refuse(report, "EXTERNAL_FILL", "fills an order that nobody here made")
        self._post(report, JournalKind.FILL, book(self._position(report.key), report.fill))

    def _amend(self, report: Report) -> None:
        log = self._log(report.key)
        named = next((k for k in log if k.answers_to(report.refers_to)), None)
        if named is None or named.is_busted:
            why = "names no booked fill" if named is None else "names a fill taken back before"
            self._refuse(report, "UNKNOWN_EXECUTION", f"{report.refers_to} {why}")
            return
        is_bust = report.kind is ReportKind.BUST
        amended = replace(named, is_busted=True) if is_bust else _corrected(named, report.fill)
        self.amended[(report.fill.account, named.fill.exec_id)] = amended
        # The adjustment is the difference to a fresh replay of what is left (P5).
        after = replay(k.fill for k in self._log(report.key) if not k.is_busted)
        kind = JournalKind.BUST if is_bust else JournalKind.CORRECTION
        self._post(report, kind, after, corrects=named.fill.exec_id)

    def _post(
        self, report: Report, kind: JournalKind, after: Position, *, corrects: str = ""
    ) -> None:
        fill = report.fill
        entries = entries_between(
            self._position(report.key), after, instrument=fill.instrument, currency=fill.currency
        )
        check_balanced(entries)
        self.journals.append(
            Journal(
                fill.account,
                kind,
                fill.exec_id,
                corrects,
                report.time_ns,
                entries,
                report.strategy_id,
            )
        )
        self.digests.append(report.digest)
        self.changed[report.key] = after
        self._seen[(fill.account, fill.exec_id)] = report.digest

    def _position(self, key: Key) -> Position:
        return self.changed.get(key) or self.positions.get(key, FLAT)

    def _log(self, key: Key) -> list[Kept]:
        added = (Kept(fill) for fill in self.added if (fill.account, fill.instrument) == key)
        log = [*self.logs.get(key, ()), *added]
        return [self.amended.get((k.fill.account, k.fill.exec_id), k) for k in log]

    def _refuse(self, report: Report, code: str, text: str) -> None:
        fill = report.fill
        self.anomalies.append(Anomaly(fill.account, fill.exec_id, code, f"{fill.exec_id} {text}"))


def _corrected(kept: Kept, fill: Fill) -> Kept:
    return Kept(replace(fill, exec_id=kept.fill.exec_id), corrected_by=fill.exec_id)
