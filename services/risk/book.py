"""Everything risk knows, in memory: accounts, instruments, prices, limits, modes and breakers.

One writer changes it, without waiting in between: so checking and holding are one step (K2).
"""

from dataclasses import dataclass, field

from services.risk.account import Account
from services.risk.breakers import Breakers, Key, of_account, of_strategy
from services.risk.case import UNBLOCKED, Blocks, Conditions
from services.risk.reasons import Mode, Reason
from services.risk.rules import FIRM, Instrument, Limits, Modes, Reference, Scope, ScopeKind
from services.risk.sessions import Calendars
from services.risk.venues import capabilities_of

DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class Book:
    """The state that decisions are made from."""

    accounts: dict[str, Account] = field(default_factory=dict)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    limits: dict[Scope, Limits] = field(default_factory=dict)
    modes: Modes = field(default_factory=Modes)
    breakers: Breakers = field(default_factory=Breakers)
    calendars: Calendars = field(default_factory=Calendars)
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
        instrument, reference = self.instruments.get(on), self.references.get(on)
        limits = self.limits_of(account)[1]
        calendar = instrument.calendar if instrument else ""
        is_stale = reference is not None and reference.is_stale(
            now_ns, self.calendars.known.get(calendar)
        )
        return Conditions(
            instrument,
            limits,
            self.modes.strictest(account, strategy_id, on),
            reference,
            now_ns,
            is_stale=is_stale,
            is_open=self.calendars.is_open(calendar, now_ns),
            opens_soon=self.calendars.opens_soon(calendar, now_ns),
            is_restricted=on in limits.restricted or self._is_restricted(on),
            blocks=self._blocks(account, strategy_id),
            capabilities=capabilities_of(on),
        )

    def _is_restricted(self, instrument: str) -> bool:
        firm = self.limits.get(FIRM)
        return firm is not None and instrument in firm.restricted

    def _blocks(self, account: str, strategy_id: str) -> Blocks:
        breakers = self.breakers
        if not breakers.standing:
            return UNBLOCKED
        mine, strategy = (ScopeKind.ACCOUNT, account), (ScopeKind.STRATEGY, strategy_id)
        return Blocks(
            breakers.state(mine, Reason.DRAWDOWN),
            breakers.state(mine, Reason.DAILY_LOSS),
            breakers.state(strategy, Reason.LOSS_STREAK),
            breakers.state(strategy, Reason.REPEATED_EXECUTION),
        )

    def price_atto(self, instrument: str) -> int | None:
        """Return the reference price; None when nothing is known."""
        reference = self.references.get(instrument)
        return reference.price_atto if reference else None

    def mark(self, instrument: str, reference: Reference, now_ns: int) -> list[Account]:
        """Take a newer price; return the accounts whose worth it changed."""
        known = self.references.get(instrument)
        if known is not None and known.time_ns > reference.time_ns:
            return []
        self.references[instrument] = reference
        touched = list(self.holders.get(instrument, {}).values())
        for account in touched:
            self.begin_day(account, now_ns)
            account.mark(instrument, reference.price_atto)
        return touched

    def note_holder(self, account: Account, instrument: str) -> None:
        """Remember or forget that `account` has a position, so that prices find it."""
        holders = self.holders.setdefault(instrument, {})
        if account.holding(instrument).quantity_atto:
            holders[account.name] = account
            known = self.instruments.get(instrument)
            if known is not None:
                account.trades_in(known.calendar)
        else:
            holders.pop(account.name, None)

    def fund(self, name: str, *, currency: str, transfers_minor: int, now_ns: int) -> Account:
        """Take over what the ledger says was paid in; return the account."""
        account = self.account(name)
        self.begin_day(account, now_ns)
        account.pay(transfers_minor)
        if account.currency != currency:  # Fills may have come before the first transfer.
            account.currency = currency
            for instrument in account.holdings:
                account.mark(instrument, self.price_atto(instrument))
        return account

    def currency_of(self, instrument: str, account: Account) -> str:
        """Return what `instrument` is priced in; the account's currency when nobody knows."""
        known = self.instruments.get(instrument)
        return known.currency if known else account.currency

    def calendar_of(self, account: Account) -> str:
        """Return the calendar whose sessions are the account's days."""
        return self.limits_of(account.name)[1].calendar or account.calendar

    def begin_day(self, account: Account, now_ns: int) -> bool:
        """Begin the account's day of trading if a new one has come; return whether it did.

        What counts by the day begins anew: its loss. Positions, the high-water mark, losing
        streaks and modes that a person must end stay.
        """
        day = self.calendars.day_of(self.calendar_of(account), now_ns)
        if not account.begin_day(day):
            return False
        scope = (ScopeKind.ACCOUNT, account.name)
        for key in list(self.breakers.standing):
            if key.scope == scope and key.code is Reason.DAILY_LOSS:
                self.breakers.end(key)
        return True

    def observe(self, account: Account, now_ns: int) -> None:
        """Let the breakers of an account see what it is worth now."""
        account.note_equity()
        limits = self.limits_of(account.name)[1]
        next_day_ns = self.calendars.next_open_ns(self.calendar_of(account), now_ns)
        self.breakers.see(of_account(account, limits, next_day_ns), now_ns)

    def observe_strategy(
        self, account: Account, strategy_id: str, *, openings: int, now_ns: int
    ) -> None:
        """Let the breakers of a strategy see its losses, and how often it just opened."""
        limits = self.limits_of(account.name)[1]
        losses = account.losses(strategy_id)
        self.breakers.see(of_strategy(strategy_id, losses, openings, limits, now_ns), now_ns)

    def end_breakers(self, now_ns: int) -> None:
        """Let go of the breakers whose time is over; a streak that paused is forgotten."""
        for key in self.breakers.end_due(now_ns):
            self._forget_streak(key)

    def overrule(self, scope: Scope, mode: Mode) -> None:
        """Let a person's looser mode hold against the breakers of a scope."""
        for key in self.breakers.acknowledge(scope, mode):
            self._forget_streak(key)

    def _forget_streak(self, key: Key) -> None:
        if key.code is not Reason.LOSS_STREAK:
            return
        for account in self.accounts.values():
            streak = account.streaks.get(key.scope[1])
            if streak is not None:
                streak.reset(self.fills)
