"""Evaluations and signals as rows; every function runs inside a transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from services.strategy import tables as t
from services.strategy.store import Values

_INSERT_EVALUATIONS = insert(t.evaluations)
_INSERT_SIGNALS = insert(t.signals)
_LAST_SEQUENCE = select(func.max(t.signals.c.sequence))
_PUBLISHED_AFTER = (
    select(t.signals.c.sequence, t.signals.c.payload)
    .where(t.signals.c.sequence > bindparam("after"))
    .order_by(t.signals.c.sequence)
    .limit(bindparam("count"))
)
_SIGNALS_BY_ID = select(t.signals.c.signal_id, t.signals.c.payload).where(
    t.signals.c.signal_id.in_(bindparam("ids", expanding=True))
)


def insert_evaluations(tx: Connection, rows: Sequence[Values]) -> None:
    """Store evaluations; their key admits each candle once."""
    if rows:
        tx.execute(_INSERT_EVALUATIONS, rows)


def last_sequence(tx: Connection) -> int:
    """Return the sequence of the last published signal, 0 before the first."""
    return int(tx.execute(_LAST_SEQUENCE).scalar() or 0)


def insert_signals(tx: Connection, rows: Sequence[Values]) -> None:
    """Store signals, in order."""
    if rows:
        tx.execute(_INSERT_SIGNALS, rows)


def published_after(tx: Connection, after: int, count: int) -> list[tuple[int, bytes]]:
    """Return up to `count` published signals after a sequence, as (sequence, payload)."""
    rows = tx.execute(_PUBLISHED_AFTER, {"after": after, "count": count})
    return [(row.sequence, row.payload) for row in rows]


def signals_by_id(tx: Connection, ids: Sequence[str]) -> dict[str, bytes]:
    """Return the payloads of these signals, those that exist."""
    return {row.signal_id: row.payload for row in tx.execute(_SIGNALS_BY_ID, {"ids": ids})}


def list_signals(
    tx: Connection, wanted: Mapping[str, Any], after: tuple[int, int], count: int
) -> list[Row[Any]]:
    """Return rows (number, payload) behind a number and, unless it is 0, a sequence.

    `wanted` holds the columns to match.
    """
    columns, (after_number, after_sequence) = t.signals.c, after
    query = select(columns.number, columns.payload).where(columns.number > after_number)
    if after_sequence:
        query = query.where(columns.sequence > after_sequence)
    for name, value in wanted.items():
        query = query.where(columns[name] == value)
    return list(tx.execute(query.order_by(columns.number).limit(count)))
