"""Evaluations and signals as rows; every function runs inside a transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from services.strategy import tables as t

Values = dict[str, Any]

_INSERT_EVALUATIONS = insert(t.evaluations)
_LAST_EVALUATION = (
    select(t.evaluations)
    .where(
        t.evaluations.c.strategy_id == bindparam("k_strategy"),
        t.evaluations.c.instrument == bindparam("k_instrument"),
    )
    .order_by(t.evaluations.c.candle_open_ns.desc())
    .limit(1)
)
_outcome = (t.evaluations.c.strategy_id, t.evaluations.c.outcome)
_EVALUATION_COUNTS = (
    select(*_outcome, func.count().label("number")).group_by(*_outcome).order_by(*_outcome)
)
_status = (t.signals.c.strategy_id, t.signals.c.status)
_SIGNAL_COUNTS = (
    select(*_status, func.count().label("number")).group_by(*_status).order_by(*_status)
)
_INSERT_SIGNALS = insert(t.signals)
_LAST_SEQUENCE = select(func.max(t.signals.c.sequence))
_PUBLISHED_AFTER = (
    select(t.signals.c.sequence, t.signals.c.payload)
    .where(t.signals.c.sequence > bindparam("after"))
    .order_by(t.signals.c.sequence)
    .limit(bindparam("count"))
)
_SIGNALS_BY_ID = (
    select(t.signals.c.signal_id, t.signals.c.payload)
    .where(t.signals.c.signal_id.in_(bindparam("ids", expanding=True)))
    .order_by(t.signals.c.signal_id)
)


def insert_evaluations(tx: Connection, rows: Sequence[Values]) -> None:
    """Store evaluations; their key admits each candle once."""
    if rows:
        tx.execute(_INSERT_EVALUATIONS, rows)


def last_evaluation(tx: Connection, strategy_id: str, instrument: str) -> Row[Any] | None:
    """Return the newest evaluation of an instrument of a strategy, if there is one."""
    key = {"k_strategy": strategy_id, "k_instrument": instrument}
    return tx.execute(_LAST_EVALUATION, key).first()


def outcome_counts(tx: Connection) -> list[tuple[str, str, int]]:
    """Return how many evaluations of each outcome every strategy has."""
    rows = tx.execute(_EVALUATION_COUNTS)
    return [(row.strategy_id, row.outcome, row.number) for row in rows]


def status_counts(tx: Connection) -> list[tuple[str, int, int]]:
    """Return how many signals of each status every strategy has."""
    return [(row.strategy_id, row.status, row.number) for row in tx.execute(_SIGNAL_COUNTS)]


def last_candle(tx: Connection) -> int:
    """Return how far the stream of candles has been evaluated, 0 before the first."""
    return int(tx.execute(select(func.max(t.evaluations.c.sequence))).scalar() or 0)


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
