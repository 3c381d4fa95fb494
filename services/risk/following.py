"""What order events change: positions by fills, holds by every step of an order's life."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from services.risk.account import Account
from services.risk.book import Book
from services.risk.holdings import Fill, hold, replay
from services.risk.orders import BUY, SELL, Open, Order, OrderType
from services.risk.streaks import FLAT, Streak, follow

Key = tuple[str, str]  # Account and instrument, or account and exec id.


class ReportKind(IntEnum):
    """What an execution report says about a position."""

    TRADE = 1
    BUST = 2
    CORRECTION = 3


@dataclass(frozen=True, slots=True)
class Report:
    """An execution report that touches a position."""

    kind: ReportKind
    fill: Fill  # Of a bust only the names count.
    refers_to: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A fill as risk holds it now."""

    fill: Fill  # As last corrected; `exec_id` stays that of the first report.
    number: int  # Its place among all fills.
    corrected_by: str = ""
    is_busted: bool = False
    strategy_id: str = ""
    time_ns: int = 0
    is_opening: bool = False

    def answers_to(self, exec_id: str) -> bool:
        """Return whether a bust or correction that names `exec_id` means this fill."""
        return exec_id in (self.fill.exec_id, self.corrected_by)


@dataclass(frozen=True, slots=True)
class Step:
    """One order event, as far as risk cares."""

    order: Order
    leaves_atto: int
    filled_atto: int
    is_over: bool
    is_in_doubt: bool
    is_approved: bool  # Whether it carries a decision of ours.
    is_received: bool  # Whether it is stored only: nothing was approved or sent yet.
    is_replace_over: bool  # Whether the venue answered a replacement.
    report: Report | None
    time_ns: int


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something that the rules exclude."""

    account: str
    subject: str
    text: str


@dataclass(slots=True)
class Following:
    """Applies the steps of one batch to the book, and collects what must be stored."""

    book: Book
    known: Mapping[Key, bytes]  # (account, exec id) to the digest of what was applied.
    logs: Mapping[str, Sequence[Kept]]  # All fills of accounts that busts and corrections name.
    changed: dict[Key, Open | None] = field(default_factory=dict)  # None: the order is over.
    moved: dict[Key, Account] = field(default_factory=dict)  # Positions that changed.
    kept: dict[Key, Kept] = field(default_factory=dict)  # Fills to insert or replace.
    seen: dict[Key, bytes] = field(default_factory=dict)  # Reports to remember.
    anomalies: list[Anomaly] = field(default_factory=list)

    def apply(self, step: Step) -> None:
        """Let one step have its effect."""
        account = self.book.account(step.order.account)
        self.book.begin_day(account, step.time_ns)
        self._follow_order(account, step)
        if step.report is not None:
            self._follow_report(account, step, step.report)
        instrument = step.order.instrument
        for order in account.split(instrument, self.book.currency_of(instrument, account)):
            self.changed[account.name, order.client_order_id] = order

    def _follow_order(self, account: Account, step: Step) -> None:
        order = step.order
        name = order.client_order_id
        known = account.open.get(name)
        if step.is_over:
            account.end(name, step.time_ns)
            self.changed[account.name, name] = None
        elif known is not None:
            after = followed(known, step, self._currency(account, order))
            if step.is_replace_over:
                after = self._repriced(account, after, step)
            self._put(account, after)
        elif not step.is_received:
            self._put(account, self._unapproved(account, step))
            self._refuse(step, f"{name} works without a hold: it was not approved here")

    def _currency(self, account: Account, order: Order) -> str:
        return self.book.currency_of(order.instrument, account)

    def _put(self, account: Account, order: Open) -> None:
        account.put(order)
        self.changed[account.name, order.client_order_id] = order

    def _repriced(self, account: Account, after: Open, step: Step) -> Open:
        """Return an order at the price it has once the venue answered its replacement."""
        price = step.order.price_atto(self.book.price_atto(after.instrument))
        if step.order.type is OrderType.MARKET or not price:
            return after
        repriced = after._replace(price_atto=price, worst_atto=price)
        return repriced.opening(after.opening_atto, self._currency(account, step.order))

    def _unapproved(self, account: Account, step: Step) -> Open:
        """Return the hold of an order that nobody asked about: all of it counts as opening."""
        order = step.order
        price = order.price_atto(self.book.price_atto(order.instrument)) or 0
        limits = self.book.limits_of(account.name)[1]
        self.book.approvals += 1
        fresh = Open(
            client_order_id=order.client_order_id,
            instrument=order.instrument,
            strategy_id=order.strategy_id,
            direction=order.direction,
            leaves_atto=order.quantity_atto,
            opening_atto=0 if order.is_reduce_only else order.quantity_atto,
            price_atto=price,
            worst_atto=price,
            fee_bps=limits.fee_bps_max,
            opening_minor=0,
            hold_minor=0,
            is_reduce_only=order.is_reduce_only,
            approved=self.book.approvals,
            since_ns=step.time_ns,
        )
        currency = self._currency(account, order)
        return followed(fresh.opening(fresh.opening_atto, currency), step, currency)

    def _follow_report(self, account: Account, step: Step, report: Report) -> None:
        name = (account.name, report.fill.exec_id)
        applied = self.seen.get(name) or self.known.get(name)
        if applied == report.digest:
            return
        if applied is not None:
            self._refuse(step, f"{report.fill.exec_id} came before with other content")
            return
        if report.kind is ReportKind.TRADE:
            self._trade(account, step, report)
        else:
            self._amend(account, step, report)

    def _trade(self, account: Account, step: Step, report: Report) -> None:
        fill, strategy_id = report.fill, step.order.strategy_id
        before = account.holding(fill.instrument).quantity_atto
        self.book.fills += 1
        self._move(account, report, [])
        after = account.holding(fill.instrument).quantity_atto
        kept = Kept(
            fill,
            self.book.fills,
            strategy_id=strategy_id,
            time_ns=step.time_ns,
            is_opening=abs(after) > abs(before),
        )
        self.kept[account.name, fill.exec_id] = kept
        if strategy_id:
            self._follow_strategy(account, kept)
        if not step.is_approved:
            self._refuse(step, f"{fill.exec_id} fills an order that was not approved here")

    def _amend(self, account: Account, step: Step, report: Report) -> None:
        log = self._log(account.name)
        named = next((k for k in log if k.answers_to(report.refers_to)), None)
        if named is None or named.is_busted:
            self._refuse(step, f"{report.refers_to} is not a fill that counts")
            return
        if report.kind is ReportKind.BUST:
            amended = replace(named, is_busted=True)
        else:
            fill = replace(report.fill, exec_id=named.fill.exec_id)
            amended = replace(named, fill=fill, corrected_by=report.fill.exec_id)
        self.kept[account.name, named.fill.exec_id] = amended
        log = self._log(account.name)
        self._move(account, report, [k for k in log if k.fill.instrument == named.fill.instrument])
        rebuild_trades(account, log)

    def _move(self, account: Account, report: Report, log: Sequence[Kept]) -> None:
        """Change the position by one fill or, after an amendment, by a fresh replay of `log`."""
        instrument, book = report.fill.instrument, self.book
        if log:
            after = replay(k.fill for k in log if not k.is_busted)
        else:
            after = hold(account.holding(instrument), report.fill)
        account.set_holding(instrument, after, book.price_atto(instrument))
        book.note_holder(account, instrument)
        self.moved[account.name, instrument] = account
        self.seen[account.name, report.fill.exec_id] = report.digest

    def _follow_strategy(self, account: Account, kept: Kept) -> None:
        """Count what the fill closes and opens for its strategy; let its breakers see that."""
        fill, strategy_id = kept.fill, kept.strategy_id
        count_trade(account, kept)
        direction, openings = (BUY if fill.quantity_atto > 0 else SELL), 0
        if kept.is_opening:
            key = (strategy_id, fill.instrument, direction)
            account.openings_ns.setdefault(key, deque()).append(kept.time_ns)
            openings = account.openings(*key, kept.time_ns)
        self.book.observe_strategy(account, strategy_id, openings=openings, now_ns=kept.time_ns)

    def _log(self, account: str) -> list[Kept]:
        log = {k.fill.exec_id: k for k in self.logs.get(account, ())}
        log |= {k.fill.exec_id: k for k in self.kept.values() if k.fill.account == account}
        return sorted(log.values(), key=lambda kept: kept.number)

    def _refuse(self, step: Step, text: str) -> None:
        self.anomalies.append(Anomaly(step.order.account, step.order.client_order_id, text))


def followed(known: Open, step: Step, currency: str) -> Open:
    """Return an open order after `step`: its hold shrinks with its fills, never by time (K2).

    While a replacement is under way the larger of both quantities stays held.
    """
    pending = None if step.is_replace_over else known.replaced_leaves_atto
    if step.report is not None and pending is not None:
        pending = max(0, pending - abs(step.report.fill.quantity_atto))
    leaves = max(step.leaves_atto, pending or 0)
    after = known._replace(
        leaves_atto=leaves,
        filled_atto=step.filled_atto,
        is_in_doubt=step.is_in_doubt,
        replaced_leaves_atto=pending,
        is_confirmed=True,
    )
    opening = min(leaves, known.opening_atto)
    return after if opening == known.opening_atto else after.opening(opening, currency)


def count_trade(account: Account, kept: Kept) -> None:
    """Let a fill have its effect on its strategy's open trade and losing streak."""
    key = (kept.strategy_id, kept.fill.instrument)
    account.trades[key], result = follow(account.trades.get(key, FLAT), kept.fill)
    if result is not None:
        account.streaks.setdefault(kept.strategy_id, Streak()).close(result, kept.number)


def rebuild_trades(account: Account, log: Sequence[Kept]) -> None:
    """Count all trades of an account anew, as if what was taken back had never happened."""
    account.trades = dict.fromkeys(account.trades, FLAT)
    for streak in account.streaks.values():
        streak.losses = 0
    for kept in log:
        if kept.strategy_id and not kept.is_busted:
            count_trade(account, kept)
