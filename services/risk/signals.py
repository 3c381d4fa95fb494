"""Signals as risk sees them: whether they may become orders, and how large."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

from runtime.atto import ATTO, attos_squared
from services.risk.account import Account
from services.risk.case import Case, Conditions
from services.risk.checks import Finding
from services.risk.holds import largest_quantity_atto
from services.risk.orders import BUY, SELL, Order, OrderType
from services.risk.reasons import Reason

BPS = 10_000


class Action(IntEnum):
    """What a signal asks for; the numbers are those of the contract."""

    OPEN = 1
    CLOSE = 2
    ADJUST_STOP = 3


@dataclass(frozen=True, slots=True)
class Signal:
    """A strategy's wish; prices and quantities in attos."""

    signal_id: str
    strategy_id: str
    account: str
    instrument: str
    action: Action
    direction: int  # BUY, SELL, or 0 when the signal names none.
    stop_atto: int | None
    quantity_atto: int | None  # Only when the signal states one.
    valid_until_ns: int
    slot: str  # Strategy, instrument, timeframe, candle and action: decided once.


class SignalCase(NamedTuple):
    """A signal with the smallest order that would follow it."""

    signal: Signal
    case: Case
    strategy_state: str  # RUNNING, PAUSED, …
    decided_before: str  # Another signal of the same slot that was approved, or nothing.


def signal_expired(asked: SignalCase) -> Finding:
    """Fail a signal whose time is over."""
    now_ns, until_ns = asked.case.now_ns, asked.signal.valid_until_ns
    return now_ns > until_ns, now_ns, until_ns


def signal_duplicate(asked: SignalCase) -> Finding:
    """Fail a second signal of one strategy, instrument, candle and action."""
    return bool(asked.decided_before), asked.decided_before, ""


def strategy_not_running(asked: SignalCase) -> Finding:
    """Fail signals of a strategy that does not run; a paused one may still exit."""
    state, is_exit = asked.strategy_state, asked.signal.action is not Action.OPEN
    return not (state == "RUNNING" or (is_exit and state == "PAUSED")), state, "RUNNING"


class SignalCheck(NamedTuple):
    """One row of the table of checks that only a signal has."""

    code: Reason
    judge: Callable[[SignalCase], Finding]
    unit: str = ""


SIGNAL_CHECKS = (
    SignalCheck(Reason.SIGNAL_EXPIRED, signal_expired, "time"),
    SignalCheck(Reason.SIGNAL_DUPLICATE, signal_duplicate),
    SignalCheck(Reason.STRATEGY_NOT_RUNNING, strategy_not_running),
)


def probe(signal: Signal, account: Account, conditions: Conditions) -> Case:
    """Return the case of the smallest order that would follow `signal`.

    An opening signal against a position asks for room behind what it closes.
    """
    held = account.holding(signal.instrument).quantity_atto
    instrument = conditions.instrument
    is_open = signal.action is Action.OPEN
    least = max(instrument.lot_atto, instrument.min_quantity_atto) if instrument else 1
    is_adjusting = signal.action is Action.ADJUST_STOP
    order = Order(
        client_order_id=f"signal {signal.signal_id}",  # A space: it meets no real order.
        account=signal.account,
        strategy_id=signal.strategy_id,
        instrument=signal.instrument,
        direction=signal.direction if is_open else (SELL if held >= 0 else BUY),
        type=OrderType.STOP if is_adjusting else OrderType.MARKET,
        quantity_atto=least if is_open else abs(held),
        stop_atto=signal.stop_atto if is_adjusting else None,
        protection_atto=signal.stop_atto if is_open else None,
        is_reduce_only=not is_open,
        trader=signal.strategy_id,
    )
    case = Case(order, account, conditions)
    if is_open and case.reducible_atto:
        order = replace(order, quantity_atto=case.reducible_atto + least)
        case = Case(order, account, conditions)
    return case


def max_quantity_atto(case: Case) -> int:
    """Return the largest market order like the probe that every limit leaves room for.

    In whole lots, zero when not even the smallest order fits; what it closes is part of it.
    """
    if case.order.is_reduce_only:
        return case.opposite_atto
    instrument, limits, priced = case.instrument, case.limits, case.priced
    equity, free = case.equity_minor, case.free_minor
    if instrument is None or priced is None or equity is None or free is None:
        return 0
    size_minor = min(
        equity * limits.position_share_bps_max // BPS,
        equity * limits.gross_share_bps_max // BPS - priced.elsewhere_minor,
    )
    unexecuted_minor = equity * limits.open_order_value_share_bps_max // BPS
    others_minor = priced.total_opening_minor - priced.opening_minor
    lot, currency = instrument.lot_atto, case.currency
    opening = min(
        largest_quantity_atto(
            free, priced.worst_atto, lot_atto=lot, fee_bps=limits.fee_bps_max, currency=currency
        ),
        _worth(unexecuted_minor - others_minor, priced.price_atto, currency),
    )
    size = _worth(size_minor, priced.size_atto, currency)
    waivable = min(
        limits.order_notional_max_atto * ATTO // priced.price_atto,
        size - case.base_atto,
        case.reducible_atto + opening,
    )
    most = min(
        limits.order_lots_max * lot,
        instrument.max_quantity_atto or limits.order_lots_max * lot,
        max(case.reducible_atto, waivable),  # What only reduces is spared these limits.
    )
    whole = most - most % lot
    return whole if whole >= instrument.min_quantity_atto else 0


def _worth(value_minor: int, price_atto: int, currency: str) -> int:
    return max(0, value_minor) * attos_squared(currency) // price_atto
