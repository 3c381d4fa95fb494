"""The books in memory: what the store holds, ready to be read and added up."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.portfolio.ledger import CASH, EXTERNAL, Journal
from services.portfolio.positions import FLAT, Position
from services.portfolio.valuation import Mark, Totals, totals

Key = tuple[str, str]  # Account and instrument.
BalanceKey = tuple[str, str, str]  # Account, ledger account and currency.


@dataclass(slots=True)
class AccountFacts:
    """What holds for one account besides its positions and balances."""

    currency: str  # Of its first journal: what it settles in.
    first_ns: int  # When its first journal was written.
    sequence: int  # Its last journal.
    instruments: dict[str, str] = field(default_factory=dict)  # Ever traded, to their currency.


@dataclass(slots=True)
class Books:
    """Every account's balances and positions after journal `sequence`."""

    accounts: dict[str, AccountFacts] = field(default_factory=dict)
    balances: dict[BalanceKey, int] = field(default_factory=dict)
    positions: dict[Key, Position] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    sequence: int = 0
    event_sequence: int = 0
    candle_sequence: int = 0

    def add(self, journals: Iterable[Journal], now_ns: int) -> list[BalanceKey]:
        """Post `journals`, numbered on from `sequence`; return the balances that moved."""
        moved: dict[BalanceKey, None] = {}
        for journal in journals:
            self.sequence += 1
            for entry in journal.entries:
                key = (journal.account, entry.ledger_account, entry.currency)
                self.balances[key] = self.balances.get(key, 0) + entry.amount_minor
                moved[key] = None
            facts = self.accounts.get(journal.account)
            if facts is None:
                currency = journal.entries[0].currency if journal.entries else ""
                facts = AccountFacts(currency, now_ns, self.sequence)
                self.accounts[journal.account] = facts
            facts.currency = facts.currency or next((e.currency for e in journal.entries), "")
            facts.sequence = self.sequence
        return list(moved)

    def set_position(self, key: Key, position: Position, currency: str) -> None:
        """Replace a position; its account has a journal already."""
        self.positions[key] = position
        self.accounts[key[0]].instruments[key[1]] = currency

    def position(self, account: str, instrument: str) -> Position:
        """Return a position; flat when it was never traded."""
        return self.positions.get((account, instrument), FLAT)

    def currency_of(self, account: str, instrument: str) -> str:
        """Return the currency of a position, or what the account settles in."""
        facts = self.accounts.get(account)
        return facts.instruments.get(instrument, facts.currency) if facts else ""

    def balance(self, account: str, ledger_account: str, currency: str) -> int:
        """Return a balance in minor units, a debit positive; 0 when nothing was booked."""
        return self.balances.get((account, ledger_account, currency), 0)

    def cash(self, account: str) -> dict[str, int]:
        """Return the account's cash by currency, in order of its code."""
        facts = self.accounts[account]
        currencies = sorted({facts.currency, *facts.instruments.values()})
        return {code: self.balance(account, CASH, code) for code in currencies}

    def holders(self, instruments: Iterable[str]) -> list[str]:
        """Return the accounts with an open position in any of `instruments`."""
        wanted = dict.fromkeys(instruments)
        return [
            account
            for account, facts in self.accounts.items()
            if any(
                i in wanted and self.positions[account, i].quantity_atto for i in facts.instruments
            )
        ]

    def totals(self, account: str, now_ns: int) -> Totals:
        """Return the account's money in the currency it settles in."""
        facts = self.accounts[account]
        return totals(
            transfers_minor=-self.balance(account, EXTERNAL, facts.currency),
            positions={
                instrument: self.positions[account, instrument]
                for instrument, currency in facts.instruments.items()
                if currency == facts.currency
            },
            marks=self.marks,
            currency=facts.currency,
            now_ns=now_ns,
        )
