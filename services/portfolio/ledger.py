"""The double-entry ledger: journals that sum to zero, and what they mean.

Debits (what an account owns or has spent) are positive, credits negative. Therefore
cash + cost = transfers + realised - fees holds after every journal.
Source: specification of the pipeline, section 11 (State, P1, P5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from services.portfolio.positions import Position

CASH = "cash"
REALISED = "realised"
FEES = "fees"
EXTERNAL = "external"


class JournalKind(IntEnum):
    """Why a journal was written; the numbers are those of the contract."""

    FILL = 1
    TRANSFER = 2
    BUST = 3
    CORRECTION = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a journal, in minor units: positive is a debit, negative a credit."""

    ledger_account: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Journal:
    """One indivisible booking for one account; it is never changed afterwards."""

    account: str
    kind: JournalKind
    source: str  # The fill or request that caused it; unique per account.
    corrects: str  # The source of the journal that this one corrects, or nothing.
    occurred_at_ns: int
    entries: tuple[Entry, ...]
    strategy_id: str = ""  # Whose order traded.


class Unbalanced(ValueError):
    """The entries of a journal do not sum to zero in each currency."""


def cost_of(instrument: str) -> str:
    """Return the ledger account that holds the cost of `instrument`."""
    return f"cost:{instrument}"


def entries_between(
    before: Position, after: Position, *, instrument: str, currency: str
) -> tuple[Entry, ...]:
    """Return the entries that move the ledger from one state of a position to another.

    A fill, a bust and a correction are all booked by this one rule.
    """
    amounts = (
        (CASH, after.cash_minor - before.cash_minor),
        (cost_of(instrument), after.cost_minor - before.cost_minor),
        (REALISED, before.realised_minor - after.realised_minor),
        (FEES, after.fees_minor - before.fees_minor),
    )
    return tuple(Entry(name, currency, amount) for name, amount in amounts if amount)


def transfer_entries(amount_minor: int, currency: str) -> tuple[Entry, ...]:
    """Return the entries of cash coming in (positive) or going out (negative)."""
    return (Entry(CASH, currency, amount_minor), Entry(EXTERNAL, currency, -amount_minor))


def check_balanced(entries: Iterable[Entry]) -> None:
    """Raise Unbalanced unless the entries sum to zero in each currency (P1)."""
    sums: dict[str, int] = {}
    for entry in entries:
        sums[entry.currency] = sums.get(entry.currency, 0) + entry.amount_minor
    wrong = {currency: total for currency, total in sums.items() if total}
    if wrong:
        raise Unbalanced(f"the journal sums to {wrong}, must be zero: book both sides")


def balances(journals: Iterable[Journal]) -> dict[tuple[str, str, str], int]:
    """Return minor units per (account, ledger account, currency) after all `journals`."""
    totals: dict[tuple[str, str, str], int] = {}
    for journal in journals:
        for entry in journal.entries:
            key = (journal.account, entry.ledger_account, entry.currency)
            totals[key] = totals.get(key, 0) + entry.amount_minor
    return totals
