"""Whose cash is below zero (P8)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.portfolio.books import Books


class Shortfall(NamedTuple):
    """An account whose cash fell below zero by a journal, or rose again after that."""

    account: str
    journal: int
    is_below: bool = True
    is_told: bool = False  # Whether risk knows.


def crossings(
    books: Books, accounts: Iterable[str], below: Mapping[str, Shortfall]
) -> list[Shortfall]:
    """Return the accounts that are below zero and were not, and the other way round."""
    found = []
    for account in accounts:
        is_below = any(units < 0 for units in books.cash(account).values())
        known = below.get(account)
        if is_below and known is None:
            found.append(Shortfall(account, books.accounts[account].sequence))
        elif known is not None and not is_below:
            found.append(known._replace(is_below=False))
    return found
