"""What the risk service keeps of its book: rows to plain values and back."""

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, func, insert, select

from runtime.atto import from_atto, to_atto
from runtime.stores.replace import replace_into
from services.risk import tables as t
from services.risk.account import MINUTE_NS, OVER_KEPT_NS, Account
from services.risk.book import Book
from services.risk.following import Kept, Key
from services.risk.hold_rows import hold_row, open_of
from services.risk.holdings import Fill, Holding
from services.risk.orders import BUY, SELL, Open
from services.risk.rules import Reference
from services.risk.streaks import Streak, Trade

CANDLES, ORDER_EVENTS = "candles", "order_events"
Row = dict[str, Any]

_INSERT = {table.name: insert(table) for table in t.metadata.sorted_tables}
_REPLACE = {table.name: replace_into(table) for table in t.metadata.sorted_tables}
_REPORTS = select(t.risk_reports).where(  # Both, because the key begins with the account.
    t.risk_reports.c.account.in_(bindparam("accounts", expanding=True)),
    t.risk_reports.c.exec_id.in_(bindparam("exec_ids", expanding=True)),
)
_LOG = (
    select(t.risk_fills)
    .where(t.risk_fills.c.account == bindparam("account"))
    .order_by(t.risk_fills.c.number)
)
_OPENED = (
    select(t.risk_fills)
    .where(t.risk_fills.c.is_opening, t.risk_fills.c.time_ns > bindparam("after_ns"))
    .order_by(t.risk_fills.c.number)
)
_DIGESTS = (
    select(t.inbox)
    .where(t.inbox.c.sequence.in_(bindparam("sequences", expanding=True)))
    .order_by(t.inbox.c.sequence)
)
_OPEN = select(t.risk_holds).where(~t.risk_holds.c.is_over).order_by(t.risk_holds.c.approved)
_OVER = (
    select(t.risk_holds)
    .where(t.risk_holds.c.is_over, t.risk_holds.c.since_ns > bindparam("after_ns"))
    .order_by(t.risk_holds.c.since_ns, *t.risk_holds.primary_key)
)


def load(tx: Connection, book: Book, now_ns: int) -> dict[str, int]:
    """Fill an empty `book` with what was committed last; return how far streams were read.

    Instruments, limits and modes are not part of it.
    """
    for row in tx.execute(select(t.marks).order_by(t.marks.c.instrument)):
        reference = Reference(to_atto(row.price), row.time_ns, row.stale_after_ns)
        book.references[row.instrument] = reference
    for row in tx.execute(select(t.risk_state).order_by(t.risk_state.c.account)):
        account = book.account(row.account)
        account.currency, account.transfers_minor = row.currency, row.transfers_minor
        account.high_water_minor = row.high_water_minor
        account.day, account.day_equity_minor = row.day, row.day_equity_minor
        account.calendar = row.calendar
    ordered = select(t.risk_positions).order_by(
        t.risk_positions.c.account, t.risk_positions.c.instrument
    )
    for row in tx.execute(ordered):
        account = book.account(row.account)
        held = Holding(to_atto(row.quantity), row.flow_minor, tuple(json.loads(row.entries)))
        account.set_holding(row.instrument, held, book.price_atto(row.instrument))
        book.note_holder(account, row.instrument)
    _load_strategies(tx, book, now_ns)
    for row in tx.execute(_OPEN):
        book.account(row.account).put(open_of(row))
    for row in tx.execute(_OVER, {"after_ns": now_ns - OVER_KEPT_NS}):
        book.account(row.account).over[row.client_order_id] = row.since_ns
    book.fills = tx.execute(select(func.max(t.risk_fills.c.number))).scalar() or 0
    book.approvals = tx.execute(select(func.max(t.risk_holds.c.approved))).scalar() or 0
    read = tx.execute(select(t.cursors).order_by(t.cursors.c.stream))
    cursors = {row.stream: row.sequence for row in read}
    book.sequence = cursors.get(ORDER_EVENTS, 0)
    return cursors


def _load_strategies(tx: Connection, book: Book, now_ns: int) -> None:
    """Fill in what strategies have open, lost in a row, and opened within the last minute."""
    for row in tx.execute(select(t.risk_trades).order_by(*t.risk_trades.primary_key)):
        trade = Trade(to_atto(row.quantity), row.flow_minor)
        book.account(row.account).trades[row.strategy_id, row.instrument] = trade
    ordered = select(t.risk_streaks).order_by(
        t.risk_streaks.c.account, t.risk_streaks.c.strategy_id
    )
    for row in tx.execute(ordered):
        book.account(row.account).streaks[row.strategy_id] = Streak(row.losses, row.after_fill)
    for row in tx.execute(_OPENED, {"after_ns": now_ns - MINUTE_NS}):
        if row.strategy_id:
            direction = SELL if row.quantity.startswith("-") else BUY
            times = book.account(row.account).openings_ns
            times.setdefault((row.strategy_id, row.instrument, direction), deque()).append(
                row.time_ns
            )


def reports(tx: Connection, names: Iterable[Key]) -> dict[Key, bytes]:
    """Return the digests of those (account, exec id) that took effect."""
    wanted = dict.fromkeys(names)
    accounts = list(dict.fromkeys(account for account, _ in wanted))
    named = {"accounts": accounts, "exec_ids": [exec_id for _, exec_id in wanted]}
    rows = tx.execute(_REPORTS, named)
    found = {(row.account, row.exec_id): row.digest for row in rows}
    return {name: found[name] for name in wanted if name in found}


def log(tx: Connection, account: str) -> list[Kept]:
    """Return the fills of an account in their order."""
    rows = tx.execute(_LOG, {"account": account})
    return [
        Kept(
            Fill(
                row.exec_id,
                row.order_id,
                row.account,
                row.instrument,
                to_atto(row.quantity),
                row.notional_minor,
                row.fee_minor,
            ),
            row.number,
            row.corrected_by,
            row.is_busted,
            row.strategy_id,
            row.time_ns,
            row.is_opening,
        )
        for row in rows
    ]


def digests(tx: Connection, sequences: Iterable[int]) -> dict[int, bytes]:
    """Return the digests of the order events with these sequences."""
    rows = tx.execute(_DIGESTS, {"sequences": list(sequences)})
    return {row.sequence: row.digest for row in rows}


def put_holds(tx: Connection, holds: Mapping[Key, Open | None], now_ns: int) -> None:
    """Store open orders; None ends one and gives its hold back."""
    rows = [hold_row(key, order, now_ns) for key, order in holds.items()]
    put(tx, t.risk_holds, rows)


def put_positions(tx: Connection, moved: Mapping[Key, Account]) -> None:
    """Store the positions named by account and instrument."""
    rows = []
    for (name, instrument), account in moved.items():
        held = account.holding(instrument)
        rows.append(
            {
                "account": name,
                "instrument": instrument,
                "quantity": from_atto(held.quantity_atto),
                "flow_minor": held.flow_minor,
                "entries": json.dumps(held.entries),
            }
        )
    put(tx, t.risk_positions, rows)
    trades = [
        {
            "account": name,
            "strategy_id": strategy_id,
            "instrument": instrument,
            "quantity": from_atto(trade.quantity_atto),
            "flow_minor": trade.flow_minor,
        }
        for name, account in {account.name: account for account in moved.values()}.items()
        for (strategy_id, instrument), trade in account.trades.items()
        if (name, instrument) in moved
    ]
    put(tx, t.risk_trades, trades)


def put_fills(tx: Connection, fills: Mapping[Key, Kept], seen: Mapping[Key, bytes]) -> None:
    """Store fills, new or amended, and which reports took effect."""
    rows = [
        {
            "account": account,
            "exec_id": exec_id,
            "number": kept.number,
            "instrument": kept.fill.instrument,
            "order_id": kept.fill.order_id,
            "quantity": from_atto(kept.fill.quantity_atto),
            "notional_minor": kept.fill.notional_minor,
            "fee_minor": kept.fill.fee_minor,
            "corrected_by": kept.corrected_by,
            "is_busted": kept.is_busted,
            "strategy_id": kept.strategy_id,
            "time_ns": kept.time_ns,
            "is_opening": kept.is_opening,
        }
        for (account, exec_id), kept in fills.items()
    ]
    put(tx, t.risk_fills, rows)
    names = [{"account": a, "exec_id": e, "digest": d} for (a, e), d in seen.items()]
    put(tx, t.risk_reports, names)


def put_states(tx: Connection, accounts: Iterable[Account]) -> None:
    """Store what is known of accounts and their strategies besides positions and orders."""
    accounts = list(accounts)
    rows = [
        {
            "account": account.name,
            "currency": account.currency,
            "transfers_minor": account.transfers_minor,
            "high_water_minor": account.high_water_minor,
            "day": account.day,
            "day_equity_minor": account.day_equity_minor,
            "calendar": account.calendar,
        }
        for account in accounts
    ]
    put(tx, t.risk_state, rows)
    streaks = [
        {
            "account": account.name,
            "strategy_id": strategy_id,
            "losses": streak.losses,
            "after_fill": streak.after,
        }
        for account in accounts
        for strategy_id, streak in account.streaks.items()
    ]
    put(tx, t.risk_streaks, streaks)


def put_marks(tx: Connection, references: Mapping[str, Reference]) -> None:
    """Store the newest prices."""
    rows = [
        {
            "instrument": instrument,
            "price": from_atto(reference.price_atto),
            "time_ns": reference.time_ns,
            "stale_after_ns": reference.stale_after_ns,
        }
        for instrument, reference in references.items()
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


def put(tx: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, in place of those with the same keys."""
    if rows:
        tx.execute(_REPLACE[table.name], rows)
