"""The journals and the fills behind them, as the store keeps them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from runtime.atto import from_atto, to_atto
from services.portfolio import tables as t
from services.portfolio.booking import Booking, Kept
from services.portfolio.books import Key
from services.portfolio.ledger import Entry, Journal, JournalKind
from services.portfolio.positions import Fill

Row = dict[str, Any]

_KNOWN = select(t.journals.c.account, t.journals.c.source, t.journals.c.digest).where(
    t.journals.c.account.in_(bindparam("accounts", expanding=True)),  # The index begins with it.
    t.journals.c.source.in_(bindparam("sources", expanding=True)),
)
_LOG = (
    select(t.fills)
    .where(
        t.fills.c.account == bindparam("account"),
        t.fills.c.instrument == bindparam("instrument"),
    )
    .order_by(t.fills.c.journal)
)
_JOURNALS = (
    select(t.journals)
    .where(
        t.journals.c.account == bindparam("account"),
        t.journals.c.sequence >= bindparam("first"),
    )
    .order_by(t.journals.c.sequence)
    .limit(bindparam("count"))
)
_TOUCHING = _JOURNALS.where(
    select(t.entries.c.journal)
    .where(
        t.entries.c.journal == t.journals.c.sequence,
        t.entries.c.ledger_account == bindparam("ledger_account"),
    )
    .exists()
)
_ENTRIES = (
    select(t.entries)
    .where(t.entries.c.journal.in_(bindparam("journals", expanding=True)))
    .order_by(t.entries.c.journal, t.entries.c.number)
)
_INSERT_JOURNALS, _INSERT_ENTRIES = insert(t.journals), insert(t.entries)
_INSERT_FILLS = insert(t.fills)
_AMEND = update(t.fills).where(
    t.fills.c.account == bindparam("k_account"), t.fills.c.exec_id == bindparam("k_exec_id")
)


def known(tx: Connection, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """Return the digests of those (account, source) that are booked."""
    wanted = dict.fromkeys(names)
    accounts = list(dict.fromkeys(account for account, _ in wanted))
    named = {"accounts": accounts, "sources": [source for _, source in wanted]}
    rows = tx.execute(_KNOWN, named)
    found = {(row.account, row.source): row.digest for row in rows}
    return {name: found[name] for name in wanted if name in found}


def log(tx: Connection, key: Key) -> list[Kept]:
    """Return the fills of one position in the order they were booked."""
    rows = tx.execute(_LOG, {"account": key[0], "instrument": key[1]})
    return [_kept(row) for row in rows]


def add_booking(tx: Connection, booking: Booking, first: int) -> None:
    """Store the journals of one unit of work, numbered from `first`, and the fills they book."""
    add_journals(tx, booking.journals, booking.digests, first)
    numbers = {(j.account, j.source): first + i for i, j in enumerate(booking.journals)}
    if booking.added:
        rows = [
            _fill_row(Kept(fill), numbers[fill.account, fill.exec_id]) for fill in booking.added
        ]
        tx.execute(_INSERT_FILLS, rows)
    for (account, exec_id), kept in booking.amended.items():
        row = _fill_row(kept, 0)
        del row["journal"]  # Its place among the fills stays.
        tx.execute(_AMEND.values(row), {"k_account": account, "k_exec_id": exec_id})


def add_journals(
    tx: Connection, journals: Sequence[Journal], content: Sequence[bytes], first: int
) -> None:
    """Store `journals`, numbered from `first`; `content` has the digest of each one's cause."""
    if not journals:
        return
    rows = [
        {
            "sequence": sequence,
            "account": journal.account,
            "kind": journal.kind,
            "source": journal.source,
            "corrects": journal.corrects,
            "strategy_id": journal.strategy_id,
            "digest": digest,
            "occurred_ns": journal.occurred_at_ns,
        }
        for sequence, (journal, digest) in enumerate(zip(journals, content, strict=True), first)
    ]
    tx.execute(_INSERT_JOURNALS, rows)
    entries = [
        {
            "journal": sequence,
            "number": number,
            "ledger_account": entry.ledger_account,
            "currency": entry.currency,
            "amount_minor": entry.amount_minor,
        }
        for sequence, journal in enumerate(journals, first)
        for number, entry in enumerate(journal.entries)
    ]
    if entries:
        tx.execute(_INSERT_ENTRIES, entries)


def journals_from(
    tx: Connection, account: str, ledger_account: str, *, first: int, count: int
) -> list[tuple[int, Journal]]:
    """Return an account's journals from sequence `first` on, at most `count`."""
    asked = {"account": account, "first": first, "count": count}
    if ledger_account:
        rows = tx.execute(_TOUCHING, asked | {"ledger_account": ledger_account}).all()
    else:
        rows = tx.execute(_JOURNALS, asked).all()
    entries: dict[int, list[Entry]] = {row.sequence: [] for row in rows}
    for row in tx.execute(_ENTRIES, {"journals": list(entries)}):
        entries[row.journal].append(Entry(row.ledger_account, row.currency, row.amount_minor))
    return [
        (
            row.sequence,
            Journal(
                row.account,
                JournalKind(row.kind),
                row.source,
                row.corrects,
                row.occurred_ns,
                tuple(entries[row.sequence]),
                row.strategy_id,
            ),
        )
        for row in rows
    ]


def _kept(row: Any) -> Kept:
    fill = Fill(
        row.exec_id,
        row.order_id,
        row.account,
        row.instrument,
        row.currency,
        to_atto(row.quantity),
        to_atto(row.price),
        row.notional_minor,
        row.fee_minor,
    )
    return Kept(fill, row.corrected_by, row.is_busted)


def _fill_row(kept: Kept, journal: int) -> Row:
    fill = kept.fill
    return {
        "account": fill.account,
        "exec_id": fill.exec_id,
        "journal": journal,
        "instrument": fill.instrument,
        "order_id": fill.order_id,
        "currency": fill.currency,
        "quantity": from_atto(fill.quantity_atto),
        "price": from_atto(fill.price_atto),
        "notional_minor": fill.notional_minor,
        "fee_minor": fill.fee_minor,
        "corrected_by": kept.corrected_by,
        "is_busted": kept.is_busted,
    }
