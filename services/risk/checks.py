"""The checks of the first depth, each a small pure function, in the order of their codes.

A check returns None when it says nothing about the case, else whether it failed, what it
observed and what is allowed; None as a number means that something needed is missing, and
that fails. Source: specification of the pipeline, section 7.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from runtime.atto import minor_from_atto, minor_to_text
from services.risk.case import Case
from services.risk.orders import BUY, OrderType
from services.risk.reasons import Mode, Reason, Value
from services.risk.rules import ProtectionRule

BPS = 10_000
# Looked up once: naming a member through its class costs as much as a small check.
LIMIT, STOP, STOP_LIMIT = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
ACTIVE, REDUCE_ONLY = Mode.ACTIVE, Mode.REDUCE_ONLY
MODE_NAMES = {mode: mode.name for mode in Mode}
FOR_STRATEGIES, FOR_NONE = ProtectionRule.STRATEGIES, ProtectionRule.NONE
_in_minor = lru_cache(1_024)(minor_from_atto)  # Of limits, which are few.
Finding = tuple[bool, Value, Value] | None
Judge = Callable[[Case], Finding]


class Check(NamedTuple):
    """One row of the table."""

    code: Reason
    judge: Judge
    is_waived: bool = False  # Whether an order that only reduces is spared (K4).
    is_on_signal: bool = False
    unit: str = ""  # How numbers are shown: "money", "atto", "bps" or a plain count.


def not_entitled(case: Case) -> Finding:
    """Fail a trader that the account does not name."""
    traders = case.limits.traders
    return bool(traders) and case.order.trader not in traders, case.order.trader, ""


def instrument_unknown(case: Case) -> Finding:
    """Fail an instrument without specification."""
    return case.instrument is None, case.order.instrument, ""


def instrument_not_tradable(case: Case) -> Finding:
    """Fail an index, and what is halted or delisted."""
    if case.instrument is None:
        return None
    return not case.instrument.is_tradable, case.instrument.name, ""


def duplicate_order(case: Case) -> Finding:
    """Fail an equal order under another id within the window."""
    window_ns = case.limits.duplicate_window_ns
    at_ns, earlier = case.account.recent.get(case.order.fingerprint, (0, ""))
    if not earlier or earlier == case.order.client_order_id:
        return False, "", ""
    return case.now_ns - at_ns < window_ns, earlier, ""


def number_invalid(case: Case) -> Finding:
    """Fail numbers that are not positive, missing, or do not belong to the type."""
    order = case.order
    kind, limit, stop = order.type, order.limit_atto, order.stop_atto
    if order.quantity_atto <= 0:
        return True, "quantity", "above 0"
    if (limit is not None and limit <= 0) or (stop is not None and stop <= 0):
        return True, "price", "above 0"
    if (limit is not None) != (kind is LIMIT or kind is STOP_LIMIT):
        return True, "limit_price", kind.name
    if (stop is not None) != (kind is STOP or kind is STOP_LIMIT):
        return True, "stop_price", kind.name
    return False, "", ""


def price_off_tick(case: Case) -> Finding:
    """Fail a price that is not a whole number of ticks."""
    if case.instrument is None:
        return None
    tick, order = case.instrument.tick_atto, case.order
    for price in (order.limit_atto, order.stop_atto, order.protection_atto):
        if price is not None and price % tick:
            return True, price, tick
    return False, "", tick


def quantity_off_lot(case: Case) -> Finding:
    """Fail a quantity that is not a whole number of lots."""
    if case.instrument is None:
        return None
    lot, quantity = case.instrument.lot_atto, case.order.quantity_atto
    return quantity % lot != 0, quantity, lot


def quantity_below_min(case: Case) -> Finding:
    """Fail an order smaller, or worth less, than the instrument allows."""
    instrument, priced = case.instrument, case.priced
    if instrument is None:
        return None
    if priced is not None and priced.notional_minor < instrument.min_notional_minor:
        worth = minor_to_text(priced.notional_minor, case.currency)
        least_worth = minor_to_text(instrument.min_notional_minor, case.currency)
        return True, f"{worth} {case.currency}", f"{least_worth} {case.currency}"
    least, quantity = instrument.min_quantity_atto, case.order.quantity_atto
    return quantity < least, quantity, least


def quantity_above_max(case: Case) -> Finding:
    """Fail an order larger than the instrument or the limits allow."""
    instrument = case.instrument
    if instrument is None:
        return None
    most = case.limits.order_lots_max * instrument.lot_atto
    if instrument.max_quantity_atto is not None and instrument.max_quantity_atto < most:
        most = instrument.max_quantity_atto
    return case.order.quantity_atto > most, case.order.quantity_atto, most


def notional_above_max(case: Case) -> Finding:
    """Fail an order worth more than one order may be."""
    priced = case.priced
    limit = _in_minor(case.limits.order_notional_max_atto, case.currency)
    return _above(priced and priced.notional_minor, limit)


def price_outside_collar(case: Case) -> Finding:
    """Fail a limit too far beyond the price at which the order becomes active."""
    order, instrument = case.order, case.instrument
    if order.limit_atto is None or instrument is None:
        return None
    # A stop-limit becomes active at its stop, however far that is from the market now.
    base = case.reference_atto if order.stop_atto is None else order.stop_atto
    if not base:
        return True, order.limit_atto, None
    reach = base * instrument.collar_bps // BPS
    if order.direction == BUY:
        return order.limit_atto > base + reach, order.limit_atto, base + reach
    return order.limit_atto < base - reach, order.limit_atto, base - reach


def reference_missing(case: Case) -> Finding:
    """Fail when there is no positive reference price."""
    reference = case.reference_atto
    return not reference or reference < 0, reference, ""


def reduce_only_would_grow(case: Case) -> Finding:
    """Fail a reduce-only order that is larger than the position it reduces."""
    if not case.order.is_reduce_only:
        return None
    quantity, held = case.order.quantity_atto, case.opposite_atto
    return quantity > held, quantity, held


def no_protection(case: Case) -> Finding:
    """Fail an opening order without a stop where one is required."""
    rule, order = case.limits.protection, case.order
    if rule is FOR_NONE or case.is_reducing:
        return None
    if rule is FOR_STRATEGIES and not order.strategy_id:
        return None
    return order.protection_atto is None, order.protection_atto, ""


def buying_power(case: Case) -> Finding:
    """Fail an order whose worst case is more than the free cash."""
    priced = case.priced
    return _above(priced and priced.hold_minor, case.free_minor)


def position_limit(case: Case) -> Finding:
    """Fail when position, open orders and order would be too large in one instrument."""
    priced = case.priced
    limit = _share(case, case.limits.position_share_bps_max)
    return _above(priced and priced.resulting_minor, limit)


def gross_exposure(case: Case) -> Finding:
    """Fail when all positions and opening orders together would be too large."""
    priced = case.priced
    gross = priced and priced.elsewhere_minor + priced.resulting_minor
    return _above(gross, _share(case, case.limits.gross_share_bps_max))


def entries_per_instrument(case: Case) -> Finding:
    """Fail one entry too many on the order's side of the instrument."""
    return _above(case.entries, case.limits.entries_per_instrument_max)


def short_not_allowed(case: Case) -> Finding:
    """Fail an order that would end short where that is not allowed."""
    if case.order.direction == BUY or case.is_reducing:
        return None
    if case.instrument is not None and not case.instrument.is_shortable:
        return True, case.opening_atto, "instrument is long-only"
    return not case.limits.is_short_allowed, case.opening_atto, ""


def open_orders(case: Case) -> Finding:
    """Fail one open order too many."""
    return _above(case.open_orders, case.limits.open_orders_max)


def open_order_value(case: Case) -> Finding:
    """Fail when opening orders together would be worth too much."""
    priced = case.priced
    limit = _share(case, case.limits.open_order_value_share_bps_max)
    return _above(priced and priced.total_opening_minor, limit)


def order_rate(case: Case) -> Finding:
    """Fail one order too many in a minute; an order decided anew is not another one."""
    strategy_id, limits = case.order.strategy_id, case.limits
    more = 1 if case.prior is None else 0
    of_strategy, of_account = case.account.rates(strategy_id, case.now_ns)
    if strategy_id and of_strategy + more > limits.strategy_orders_per_minute_max:
        return True, of_strategy + more, limits.strategy_orders_per_minute_max
    return _above(of_account + more, limits.account_orders_per_minute_max)


def mode_blocked(case: Case) -> Finding:
    """Fail what the trading mode does not allow."""
    mode = case.mode
    is_allowed = mode is ACTIVE or (mode is REDUCE_ONLY and case.is_reducing)
    return not is_allowed, MODE_NAMES[mode], ""


def currency_unsupported(case: Case) -> Finding:
    """Fail an instrument in another currency than the account settles (M6)."""
    if case.instrument is None:
        return None
    settled = case.account.currency
    return case.instrument.currency != settled, case.instrument.currency, settled or None


def _share(case: Case, share_bps: int) -> int | None:
    equity = case.equity_minor
    return None if equity is None else equity * share_bps // BPS


def _above(observed: int | None, limit: int | None) -> tuple[bool, Value, Value]:
    if observed is None or limit is None:
        return True, observed, limit
    return observed > limit, observed, limit


ORDER_CHECKS = (
    Check(Reason.NOT_ENTITLED, not_entitled, is_on_signal=True),
    Check(Reason.INSTRUMENT_UNKNOWN, instrument_unknown, is_on_signal=True),
    Check(Reason.INSTRUMENT_NOT_TRADABLE, instrument_not_tradable, is_on_signal=True),
    Check(Reason.DUPLICATE_ORDER, duplicate_order, is_waived=True),
    Check(Reason.NUMBER_INVALID, number_invalid),
    Check(Reason.PRICE_OFF_TICK, price_off_tick, unit="atto"),
    Check(Reason.QUANTITY_OFF_LOT, quantity_off_lot, unit="atto"),
    Check(Reason.QUANTITY_BELOW_MIN, quantity_below_min, unit="atto"),
    Check(Reason.QUANTITY_ABOVE_MAX, quantity_above_max, unit="atto"),
    Check(Reason.NOTIONAL_ABOVE_MAX, notional_above_max, is_waived=True, unit="money"),
    Check(Reason.PRICE_OUTSIDE_COLLAR, price_outside_collar, unit="atto"),
    Check(Reason.REFERENCE_MISSING, reference_missing, is_on_signal=True, unit="atto"),
    Check(Reason.REDUCE_ONLY_WOULD_GROW, reduce_only_would_grow, unit="atto"),
    Check(Reason.NO_PROTECTION, no_protection, True, is_on_signal=True, unit="atto"),
    Check(Reason.BUYING_POWER, buying_power, is_waived=True, unit="money"),
    Check(Reason.POSITION_LIMIT, position_limit, True, is_on_signal=True, unit="money"),
    Check(Reason.GROSS_EXPOSURE, gross_exposure, True, is_on_signal=True, unit="money"),
    Check(Reason.ENTRIES_PER_INSTRUMENT, entries_per_instrument, True, is_on_signal=True),
    Check(Reason.SHORT_NOT_ALLOWED, short_not_allowed, unit="atto"),
    Check(Reason.OPEN_ORDERS, open_orders, is_waived=True),
    Check(Reason.OPEN_ORDER_VALUE, open_order_value, is_waived=True, unit="money"),
    Check(Reason.ORDER_RATE, order_rate, is_waived=True),
    Check(Reason.MODE_BLOCKED, mode_blocked, is_on_signal=True),
    Check(Reason.CURRENCY_UNSUPPORTED, currency_unsupported, is_on_signal=True),
)
