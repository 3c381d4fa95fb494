"""What market data keeps of candles: rows to plain values and back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from services.marketdata import tables as t
from services.marketdata.candles import SeriesKey
from services.marketdata.timeframes import Timeframe

STREAM = "candles"
Values = dict[str, Any]

_newer = t.candles.alias("newer")
_SERIES = (t.candles.c.instrument == bindparam("i"), t.candles.c.timeframe == bindparam("t"))
_IS_LATEST = ~(
    select(_newer.c.revision)
    .where(
        _newer.c.instrument == t.candles.c.instrument,
        _newer.c.timeframe == t.candles.c.timeframe,
        _newer.c.open_ns == t.candles.c.open_ns,
        _newer.c.revision > t.candles.c.revision,
    )
    .exists()
)

_HEAD = select(t.heads.c.sequence).where(t.heads.c.stream == STREAM).with_for_update()
_SET_HEAD = update(t.heads).where(t.heads.c.stream == STREAM).values(sequence=bindparam("s"))
_FIRST_HEAD = insert(t.heads)
# One statement for each size, filled up with repeats: an IN that grows is built anew each time.
_LASTS_SIZES = (1, 8, 64, 512)
_LASTS = {
    size: select(t.series)
    .where(t.series.c.instrument.in_([bindparam(f"n{i}") for i in range(size)]))
    .order_by(*t.series.primary_key)
    for size in _LASTS_SIZES
}
_ALL_LASTS = select(t.series).order_by(*t.series.primary_key)
_INSERT_SERIES = insert(t.series)
_UPDATE_SERIES = (
    update(t.series)
    .where(t.series.c.instrument == bindparam("i"), t.series.c.timeframe == bindparam("t"))
    .values(last_open_ns=bindparam("last"))
)
_CONTENTS = (
    select(t.candles.c.body)
    .where(*_SERIES, t.candles.c.open_ns == bindparam("open_ns"))
    .order_by(t.candles.c.revision)
)
_INSERT_CANDLES = insert(t.candles)
_INSERT_NOTICES = insert(t.notices)
_CANDLES_AFTER = (
    select(t.candles.c.sequence, t.candles.c.is_backfill, t.candles.c.body)
    .where(t.candles.c.sequence > bindparam("after"))
    .order_by(t.candles.c.sequence)
    .limit(bindparam("count"))
)
_NOTICES_AFTER = (
    select(t.notices.c.sequence, t.notices.c.body)
    .where(t.notices.c.sequence > bindparam("after"))
    .order_by(t.notices.c.sequence)
    .limit(bindparam("count"))
)
_SPAN = (
    *_SERIES,
    t.candles.c.open_ns >= bindparam("from_ns"),
    t.candles.c.open_ns < bindparam("to_ns"),
)
_PAGE = (
    select(t.candles.c.open_ns, t.candles.c.body)
    .where(*_SPAN)
    .order_by(t.candles.c.open_ns)
    .limit(bindparam("count"))
)
_LATEST_PAGE = _PAGE.where(_IS_LATEST)
_FIRST_PAGE = _PAGE.where(t.candles.c.revision == 0)
_NTH_NEWEST = (
    select(t.candles.c.open_ns)
    .where(*_SPAN, t.candles.c.revision == 0)
    .order_by(t.candles.c.open_ns.desc())
    .limit(1)
    .offset(bindparam("skipped"))
)


def head(tx: Connection) -> int | None:
    """Return the stream's last sequence; None before the first start."""
    sequence: int | None = tx.execute(_HEAD).scalar()
    return sequence


def begin(tx: Connection) -> int:
    """Return the stream's last sequence, which is 0 when there was none yet."""
    sequence = head(tx)
    if sequence is None:
        tx.execute(_FIRST_HEAD, {"stream": STREAM, "sequence": 0})
    return sequence or 0


def set_head(tx: Connection, sequence: int) -> None:
    """Note the last sequence that is given."""
    tx.execute(_SET_HEAD, {"s": sequence})


def lasts(tx: Connection, instruments: Sequence[str]) -> dict[SeriesKey, int]:
    """Return when the last confirmed candle of each series of these instruments opened."""
    found: dict[SeriesKey, int] = {}
    for start in range(0, len(instruments), _LASTS_SIZES[-1]):
        some = instruments[start : start + _LASTS_SIZES[-1]]
        size = next(size for size in _LASTS_SIZES if size >= len(some))
        names = {f"n{place}": some[min(place, len(some) - 1)] for place in range(size)}
        rows = tx.execute(_LASTS[size], names)
        found |= {(row.instrument, Timeframe(row.timeframe)): row.last_open_ns for row in rows}
    return found


def set_lasts(tx: Connection, before: dict[SeriesKey, int], after: dict[SeriesKey, int]) -> None:
    """Note the series whose last confirmed candle is another one now."""
    fresh = [key for key in after if key not in before]
    moved = [key for key, last_ns in after.items() if before.get(key, last_ns) != last_ns]
    if fresh:
        rows = [
            {"instrument": i, "timeframe": int(f), "last_open_ns": after[i, f]} for i, f in fresh
        ]
        tx.execute(_INSERT_SERIES, rows)
    if moved:
        tx.execute(_UPDATE_SERIES, [{"i": i, "t": int(f), "last": after[i, f]} for i, f in moved])


def contents(tx: Connection, series: SeriesKey, open_ns: int) -> list[bytes]:
    """Return the bodies of one candle's revisions, the first one first."""
    instrument, timeframe = series
    values = {"i": instrument, "t": int(timeframe), "open_ns": open_ns}
    return list(tx.execute(_CONTENTS, values).scalars())


def insert_candles(tx: Connection, rows: list[Values]) -> None:
    """Store confirmed candles; the keys of each row are the table's columns."""
    tx.execute(_INSERT_CANDLES, rows)


def insert_notices(tx: Connection, rows: list[Values]) -> None:
    """Store gaps and forming candles."""
    tx.execute(_INSERT_NOTICES, rows)


def candles_after(tx: Connection, sequence: int, count: int) -> Sequence[Any]:
    """Return up to `count` rows (sequence, is_backfill, body) that follow `sequence`."""
    return tx.execute(_CANDLES_AFTER, {"after": sequence, "count": count}).all()


def notices_after(tx: Connection, sequence: int, count: int) -> Sequence[Any]:
    """Return up to `count` rows (sequence, body) that follow `sequence`."""
    return tx.execute(_NOTICES_AFTER, {"after": sequence, "count": count}).all()


def page(tx: Connection, span: Values, count: int, *, is_first_seen: bool) -> list[Any]:
    """Return up to `count` rows (open_ns, body) of a span (i, t, from_ns, to_ns), oldest first."""
    statement = _FIRST_PAGE if is_first_seen else _LATEST_PAGE
    return list(tx.execute(statement, {**span, "count": count}).all())


def nth_newest_open(tx: Connection, span: Values, nth: int) -> int | None:
    """Return when the `nth` newest candle (from 1) of a span opened, if there are so many."""
    open_ns: int | None = tx.execute(_NTH_NEWEST, {**span, "skipped": nth - 1}).scalar()
    return open_ns


def last_open(tx: Connection, span: Values) -> int:
    """Return when the last candle of a span opened; the span has one."""
    open_ns = nth_newest_open(tx, span, 1)
    assert open_ns is not None
    return open_ns


def newest_bodies(tx: Connection) -> list[bytes]:
    """Return the newest revision of the last candle of every series."""
    bodies = []
    for row in tx.execute(_ALL_LASTS).all():
        key = row.instrument, Timeframe(row.timeframe)
        bodies += contents(tx, key, row.last_open_ns)[-1:]
    return bodies
