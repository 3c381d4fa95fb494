"""Decisions of a while ago, as far as they are judged again by other limits."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.risk import tables as t
from services.risk.facts import Named, unpack


class Past(NamedTuple):
    """A decision as far as it is judged again."""

    decision_id: str
    subject_id: str
    account: str
    verdict: int
    facts: Sequence[int]
    named: Named
    failed: int  # The codes that failed, as bits.


def past(tx: Connection, account: str, *, after_ns: int, count: int) -> list[Past]:
    """Return the newest decisions made after an instant, oldest first; "": of every account."""
    table = t.risk_decisions
    columns = (table.c.sequence, table.c.decision_id, table.c.subject_id, table.c.account)
    newest_first = (
        select(*columns, table.c.verdict, table.c.facts, table.c.names)
        .where(table.c.decided_ns > after_ns)
        .order_by(table.c.sequence.desc())
        .limit(count)
    )
    if account:
        newest_first = newest_first.where(table.c.account == account)
    rows = tx.execute(newest_first).all()
    failed = _failed(tx, rows[-1].sequence) if rows else {}
    return [
        Past(
            row.decision_id,
            row.subject_id,
            row.account,
            row.verdict,
            unpack(row.facts),
            Named(*row.names.split("\n")),
            failed.get(row.sequence, 0),
        )
        for row in reversed(rows)
    ]


def _failed(tx: Connection, first: int) -> dict[int, int]:
    """Return the codes that failed, as bits, of each decision from sequence `first` on."""
    checks = t.risk_checks
    found: dict[int, int] = {}
    for row in tx.execute(
        select(checks.c.decision, checks.c.code).where(checks.c.decision >= first)
    ):
        found[row.decision] = found.get(row.decision, 0) | 1 << row.code
    return found
