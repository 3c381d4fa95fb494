"""What market data keeps of ticks: rows to plain values and back."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from services.marketdata import tables as t
from services.marketdata.store import Values
from services.marketdata.ticks import TickKind, TickLine

STREAM = "ticks"

_T, _L = t.ticks.c, t.tick_lines.c
_HEAD = select(t.heads.c.sequence).where(t.heads.c.stream == STREAM).with_for_update()
_SET_HEAD = update(t.heads).where(t.heads.c.stream == STREAM).values(sequence=bindparam("s"))
_FIRST_HEAD = insert(t.heads)
_OLDEST = select(func.min(_T.sequence))
_LAST = select(func.max(_T.sequence))
_LINE = select(t.tick_lines).where(_L.instrument == bindparam("i"))
_LINES = select(t.tick_lines).order_by(_L.instrument)
_DELETE_LINE = delete(t.tick_lines).where(_L.instrument == bindparam("i"))
_INSERT_LINE = insert(t.tick_lines)
_INSERT = insert(t.ticks)
_NAMES = tuple(field.name for field in fields(TickLine))
_BODY = select(_T.body).where(
    _T.instrument == bindparam("i"), _T.sequence_first == bindparam("first")
)
_AFTER = (
    select(_T.sequence, _T.instrument, _T.body)
    .where(_T.sequence > bindparam("after"))
    .order_by(_T.sequence)
    .limit(bindparam("count"))
)
_WITHIN = (
    select(_T.sequence, _T.body)
    .where(
        _T.instrument == bindparam("i"),
        _T.kind == int(TickKind.TRADES),
        _T.last_ns >= bindparam("from_ns"),
        _T.first_ns < bindparam("to_ns"),
    )
    .order_by(_T.sequence_first)
)
_NEWEST = (
    select(_T.body)
    .where(_T.instrument == bindparam("i"), _T.kind == bindparam("k"))
    .order_by(_T.last_ns.desc(), _T.sequence_first.desc())
    .limit(1)
)
_LAST_OLD = select(func.max(_T.sequence)).where(
    _T.stored_ns <= bindparam("old_ns"), _T.sequence <= bindparam("last")
)
_FORGET = delete(t.ticks).where(_T.sequence <= bindparam("last"))


def head(tx: Connection) -> int:
    """Return the stream's last sequence; 0 before the first batch."""
    sequence: int | None = tx.execute(_HEAD).scalar()
    return sequence or 0


def begin(tx: Connection) -> tuple[int, int]:
    """Return the stream's last sequence, and the last one that is not kept any more."""
    sequence: int | None = tx.execute(_HEAD).scalar()
    if sequence is None:
        tx.execute(_FIRST_HEAD, {"stream": STREAM, "sequence": 0})
    oldest: int | None = tx.execute(_OLDEST).scalar()
    return sequence or 0, (oldest or 1) - 1


def lines(tx: Connection) -> list[TickLine]:
    """Return how far the ticks of every instrument are."""
    return [TickLine(**row._mapping) for row in tx.execute(_LINES)]


def line(tx: Connection, instrument: str) -> TickLine | None:
    """Return how far the ticks of an instrument are; None before its first."""
    row = tx.execute(_LINE, {"i": instrument}).first()
    return None if row is None else TickLine(**row._mapping)


def write(tx: Connection, rows: list[Values], moved: Sequence[TickLine], sequence: int) -> None:
    """Store batches, how far their lines are now, and the stream's last sequence."""
    tx.execute(_INSERT, rows)
    tx.execute(_DELETE_LINE, [{"i": line.instrument} for line in moved])
    tx.execute(_INSERT_LINE, [{name: getattr(line, name) for name in _NAMES} for line in moved])
    tx.execute(_SET_HEAD, {"s": sequence})


def stored(tx: Connection, instrument: str, sequence_first: int) -> bytes | None:
    """Return the batch that begins with a sequence, if one does."""
    body: bytes | None = tx.execute(_BODY, {"i": instrument, "first": sequence_first}).scalar()
    return body


def after(tx: Connection, sequence: int, count: int) -> list[Any]:
    """Return up to `count` rows (sequence, instrument, body) that follow `sequence`."""
    return list(tx.execute(_AFTER, {"after": sequence, "count": count}))


def last(tx: Connection) -> int:
    """Return the sequence of the newest batch; 0 before the first."""
    sequence: int | None = tx.execute(_LAST).scalar()
    return sequence or 0


def trades_within(tx: Connection, instrument: str, from_ns: int, to_ns: int) -> list[Any]:
    """Return rows (sequence, body) that may have trades in a span of time, in sequence order."""
    span = {"i": instrument, "from_ns": from_ns, "to_ns": to_ns}
    return list(tx.execute(_WITHIN, span))


def newest(tx: Connection, instrument: str) -> list[bytes]:
    """Return the batches with the newest trades and the newest quotes."""
    found = [tx.execute(_NEWEST, {"i": instrument, "k": int(kind)}).scalar() for kind in TickKind]
    return [body for body in found if body is not None]


def forget(tx: Connection, old_ns: int, last: int) -> int:
    """Delete batches stored until `old_ns`, up to sequence `last`; return up to which it went."""
    gone: int | None = tx.execute(_LAST_OLD, {"old_ns": old_ns, "last": last}).scalar()
    if gone is not None:
        tx.execute(_FORGET, {"last": gone})
    return gone or 0
