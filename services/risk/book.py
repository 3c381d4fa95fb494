"""Everything risk knows, in memory: accounts, instruments, prices, limits and modes.

One writer changes it, without waiting in between: so checking and holding are one step (K2).
"""

from dataclasses import dataclass, field

from services.risk.account import Account
from services.risk.case import Conditions
from services.risk.rules import FIRM, Instrument, Limits, Modes, Reference, Scope, ScopeKind

DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class Book:
    """The state that decisions are made from."""

    accounts: dict[str, Account] = field(default_factory=dict)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    limits: dict[Scope, Limits] = field(default_factory=dict)
    modes: Modes = field(default_factory=Modes)
    holders: dict[str, dict[str, Account]] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)  # Signal slot to the signal approved.
    sequence: int = 0  # The last order event that is part of it.
    fills: int = 0  # How many fills were ever part of it.
    approvals: int = 0  # How many orders were ever approved.

    def account(self, name: str) -> Account:
        """Return the account, an empty one at first sight."""
        account = self.accounts.get(name)
        if account is None:
            account = self.accounts[name] = Account(name)
        return account

    def limits_of(self, account: str) -> tuple[Scope, Limits]:
        """Return the limits in force for an account, and whose they are: its own or the firm's."""
        own = (ScopeKind.ACCOUNT, account)
        if own in self.limits:
            return own, self.limits[own]
        return FIRM, self.limits.get(FIRM, DEFAULT_LIMITS)

    def conditions(self, account: str, strategy_id: str, *, on: str, now_ns: int) -> Conditions:
        """Return what holds for `account` and `strategy_id` on the instrument `on`."""
        return Conditions(
            self.instruments.get(on),
            self.limits_of(account)[1],
            self.modes.strictest(account, strategy_id, on),
            self.references.get(on),
            now_ns,
        )

    def price_atto(self, instrument: str) -> int | None:
        """Return the reference price; None when nothing is known."""
        reference = self.references.get(instrument)
        return reference.price_atto if reference else None

    def mark(self, instrument: str, reference: Reference) -> list[Account]:
        """Take a newer price; return the accounts whose worth it changed."""
        known = self.references.get(instrument)
        if known is not None and known.time_ns > reference.time_ns:
            return []
        self.references[instrument] = reference
        touched = list(self.holders.get(instrument, {}).values())
        for account in touched:
            account.mark(instrument, reference.price_atto)
        return touched

    def note_holder(self, account: Account, instrument: str) -> None:
        """Remember or forget that `account` has a position, so that prices find it."""
        holders = self.holders.setdefault(instrument, {})
        if account.holding(instrument).quantity_atto:
            holders[account.name] = account
        else:
            holders.pop(account.name, None)

    def fund(self, name: str, *, currency: str, transfers_minor: int) -> Account:
        """Take over what the ledger says was paid in; return the account."""
        account = self.account(name)
        account.transfers_minor = transfers_minor
        if account.currency != currency:  # Fills may have come before the first transfer.
            account.currency = currency
            for instrument in account.holdings:
                account.mark(instrument, self.price_atto(instrument))
        return account

    def currency_of(self, instrument: str, account: Account) -> str:
        """Return what `instrument` is priced in; the account's currency when nobody knows."""
        known = self.instruments.get(instrument)
        return known.currency if known else account.currency
