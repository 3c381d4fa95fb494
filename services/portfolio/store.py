"""What the portfolio service keeps: rows to plain values and back."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select

from runtime.atto import from_atto, to_atto
from runtime.stores.replace import replace_into
from services.portfolio import tables as t
from services.portfolio.booking import Anomaly
from services.portfolio.books import AccountFacts, BalanceKey, Books, Key
from services.portfolio.positions import Position
from services.portfolio.solvency import Shortfall
from services.portfolio.valuation import Mark

CANDLES, ORDER_EVENTS = "candles", "order_events"
Row = dict[str, Any]

_DIGESTS = (
    select(t.inbox)
    .where(t.inbox.c.sequence.in_(bindparam("sequences", expanding=True)))
    .order_by(t.inbox.c.sequence)
)
_POINT = (
    select(t.equity_points.c.snapshot)
    .where(
        t.equity_points.c.account == bindparam("account"),
        t.equity_points.c.second <= bindparam("second"),
        t.equity_points.c.time_ns <= bindparam("time_ns"),
    )
    .order_by(t.equity_points.c.second.desc())
    .limit(1)
)
_ACCOUNTS = select(t.accounts.c.account).order_by(t.accounts.c.account)
_LAST_POINT = (
    select(t.equity_points)
    .where(t.equity_points.c.account == bindparam("account"))
    .order_by(t.equity_points.c.second.desc())
    .limit(1)
)
_INSERT = {table.name: insert(table) for table in t.metadata.sorted_tables}
_REPLACE = {table.name: replace_into(table) for table in t.metadata.sorted_tables}


def load(tx: Connection) -> Books:
    """Return the books as they were committed last."""
    books = Books()
    for row in tx.execute(select(t.accounts).order_by(t.accounts.c.account)):
        books.accounts[row.account] = AccountFacts(row.currency, row.first_ns, row.sequence)
        books.sequence = max(books.sequence, row.sequence)
    for row in tx.execute(select(t.balances).order_by(*t.balances.primary_key)):
        books.balances[row.account, row.ledger_account, row.currency] = row.amount_minor
    ordered = select(t.positions).order_by(t.positions.c.account, t.positions.c.instrument)
    for row in tx.execute(ordered):
        position = Position(
            to_atto(row.quantity),
            row.cost_minor,
            row.realised_minor,
            row.fees_minor,
            tuple(json.loads(row.entries)),
        )
        books.set_position((row.account, row.instrument), position, row.currency)
    for row in tx.execute(select(t.marks).order_by(t.marks.c.instrument)):
        books.marks[row.instrument] = Mark(to_atto(row.price), row.time_ns, row.stale_after_ns)
    cursors = {row.stream: row.sequence for row in tx.execute(select(t.cursors))}
    books.event_sequence = cursors.get(ORDER_EVENTS, 0)
    books.candle_sequence = cursors.get(CANDLES, 0)
    return books


def digests(tx: Connection, sequences: Iterable[int]) -> dict[int, bytes]:
    """Return the digests of the order events with these sequences."""
    rows = tx.execute(_DIGESTS, {"sequences": list(sequences)})
    return {row.sequence: row.digest for row in rows}


def put_accounts(tx: Connection, books: Books, accounts: Iterable[str]) -> None:
    """Store what holds for `accounts`."""
    rows = []
    for account in dict.fromkeys(accounts):
        facts = books.accounts[account]
        row = {"account": account, "currency": facts.currency}
        rows.append(row | {"first_ns": facts.first_ns, "sequence": facts.sequence})
    put(tx, t.accounts, rows)


def put_balances(tx: Connection, books: Books, keys: Iterable[BalanceKey]) -> None:
    """Store the balances named by `keys`."""
    names = ("account", "ledger_account", "currency")
    rows = [dict(zip(names, k, strict=True)) | {"amount_minor": books.balances[k]} for k in keys]
    put(tx, t.balances, rows)


def put_positions(tx: Connection, books: Books, keys: Iterable[Key]) -> None:
    """Store the positions named by `keys`."""
    rows = []
    for account, instrument in keys:
        position = books.position(account, instrument)
        rows.append(
            {
                "account": account,
                "instrument": instrument,
                "currency": books.currency_of(account, instrument),
                "quantity": from_atto(position.quantity_atto),
                "cost_minor": position.cost_minor,
                "realised_minor": position.realised_minor,
                "fees_minor": position.fees_minor,
                "entries": json.dumps(position.entries),
            }
        )
    put(tx, t.positions, rows)


def put_marks(tx: Connection, marks: Mapping[str, Mark]) -> None:
    """Store the newest prices."""
    rows = [
        {
            "instrument": instrument,
            "price": from_atto(mark.price_atto),
            "time_ns": mark.time_ns,
            "stale_after_ns": mark.stale_after_ns,
        }
        for instrument, mark in marks.items()
    ]
    put(tx, t.marks, rows)


def move(tx: Connection, stream: str, sequence: int) -> None:
    """Store how far a stream has been read."""
    put(tx, t.cursors, [{"stream": stream, "sequence": sequence}])


def add_events(tx: Connection, events: Mapping[int, bytes]) -> None:
    """Remember the digests of order events by sequence, and move on to the last one."""
    if not events:
        return
    rows: list[Row] = [{"sequence": s, "digest": digest} for s, digest in events.items()]
    tx.execute(_INSERT["inbox"], rows)
    move(tx, ORDER_EVENTS, rows[-1]["sequence"])


def add_anomalies(tx: Connection, anomalies: Iterable[Anomaly], now_ns: int) -> None:
    """Store what was not booked, and why."""
    rows = [
        {
            "account": anomaly.account,
            "subject": anomaly.exec_id,
            "code": anomaly.code,
            "text": anomaly.text,
            "noted_ns": now_ns,
        }
        for anomaly in anomalies
    ]
    if rows:
        tx.execute(_INSERT["anomalies"], rows)


def put_points(tx: Connection, points: Sequence[Row]) -> None:
    """Store equity points, in place of earlier ones of the same second."""
    put(tx, t.equity_points, points)


def extremes(tx: Connection) -> dict[str, tuple[int, int, int]]:
    """Return of each account its last second with a point, and that one's extremes."""
    names = tx.execute(_ACCOUNTS).scalars().all()
    found = [tx.execute(_LAST_POINT, {"account": name}).first() for name in names]
    return {r.account: (r.second, r.equity_low_minor, r.equity_high_minor) for r in found if r}


def put_shortfalls(tx: Connection, shortfalls: Iterable[Shortfall]) -> None:
    """Store whose cash fell below zero, or rose again."""
    put(tx, t.shortfalls, [shortfall._asdict() for shortfall in shortfalls])


def shortfalls(tx: Connection) -> list[Shortfall]:
    """Return whose cash is below zero."""
    table = t.shortfalls
    rows = tx.execute(select(table).where(table.c.is_below).order_by(table.c.account))
    return [Shortfall(row.account, row.journal, row.is_below, row.is_told) for row in rows]


def breaks_since(tx: Connection, account: str) -> dict[str, int]:
    """Return of each open break of an account since when it is known."""
    table = t.breaks
    is_open = select(table).where(table.c.account == account, table.c.is_open)
    rows = tx.execute(is_open.order_by(table.c.instrument))
    return {row.instrument: row.since_ns for row in rows}


def put_breaks(tx: Connection, account: str, breaks: Mapping[str, int | None]) -> None:
    """Store since when breaks are known; None: it is one no more."""
    rows = [
        {
            "account": account,
            "instrument": instrument,
            "is_open": since_ns is not None,
            "since_ns": since_ns or 0,
        }
        for instrument, since_ns in breaks.items()
    ]
    put(tx, t.breaks, rows)


def point_at(tx: Connection, account: str, time_ns: int) -> bytes | None:
    """Return the account's money as it was at `time_ns`; None when nothing was noted by then."""
    asked = {"account": account, "second": time_ns // 1_000_000_000, "time_ns": time_ns}
    row = tx.execute(_POINT, asked).first()
    return None if row is None else bytes(row.snapshot)


def put(tx: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, in place of those with the same keys."""
    if rows:
        tx.execute(_REPLACE[table.name], rows)
