"""The checks of what an order says: who asks, for what, in which numbers, and when."""

from runtime.atto import minor_to_text
from services.risk.case import Case
from services.risk.judging import PASS, Finding
from services.risk.orders import BUY, OrderType, TimeInForce
from services.risk.sessions import DAY_NS

BPS = 10_000
# Looked up once: naming a member through its class costs as much as a small check.
LIMIT, STOP, STOP_LIMIT, OTHER = (
    OrderType.LIMIT,
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.OTHER,
)
IOC, FOK, GTD = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD
EXPIRY_DAYS_MAX = 90


def not_entitled(case: Case) -> Finding:
    """Fail a trader that the account does not name."""
    traders = case.limits.traders
    if not traders or case.order.trader in traders:
        return PASS
    return True, case.order.trader, ""


def account_inactive(case: Case) -> Finding:
    """Fail an account that nobody opened, and one that was suspended."""
    if case.limits.is_suspended:
        return True, "suspended", "active"
    return PASS if case.account.transfers_minor is not None else (True, "not opened", "active")


def instrument_unknown(case: Case) -> Finding:
    """Fail an instrument without specification."""
    return PASS if case.instrument is not None else (True, case.order.instrument, "")


def instrument_not_tradable(case: Case) -> Finding:
    """Fail an index, and what is halted or delisted."""
    if case.instrument is None:
        return None
    return PASS if case.instrument.is_tradable else (True, case.instrument.name, "")


def session_closed(case: Case) -> Finding:
    """Fail what cannot wait for the next session, and anything if none comes within a week."""
    now = case.conditions
    if now.is_open:
        return PASS
    if case.instrument is None:
        return None
    if not now.opens_soon:
        return True, "no session", "a session within 7 days"
    life = case.order.life
    return life is IOC or life is FOK, "closed", "open"


def restricted(case: Case) -> Finding:
    """Fail what the firm or the account may not open."""
    return (True, case.order.instrument, "") if case.conditions.is_restricted else PASS


def order_type_unsupported(case: Case) -> Finding:
    """Fail a type that the venue does not take."""
    kind = case.order.type
    return PASS if kind in case.conditions.capabilities.types else (True, kind.name, "")


def time_in_force_unsupported(case: Case) -> Finding:
    """Fail a time in force that the venue does not take."""
    life = case.order.life
    return PASS if life in case.conditions.capabilities.lives else (True, life.name, "")


def duplicate_order(case: Case) -> Finding:
    """Fail an equal order under another id within the window; one sent again is no repeat."""
    if not case.account.recent or case.conditions.is_again:
        return PASS
    window_ns = case.limits.duplicate_window_ns
    at_ns, earlier = case.account.recent.get(case.order.fingerprint, (0, ""))
    if not earlier or earlier == case.order.client_order_id:
        return PASS
    return case.now_ns - at_ns < window_ns, earlier, ""


def number_invalid(case: Case) -> Finding:
    """Fail numbers that are not positive, missing, or do not belong to the type."""
    order = case.order
    kind, limit, stop = order.type, order.limit_atto, order.stop_atto
    if order.quantity_atto <= 0:
        return True, "quantity", "above 0"
    if (limit is not None and limit <= 0) or (stop is not None and stop <= 0):
        return True, "price", "above 0"
    if kind is OTHER:
        return PASS
    if (limit is not None) != (kind is LIMIT or kind is STOP_LIMIT):
        return True, "limit_price", kind.name
    if (stop is not None) != (kind is STOP or kind is STOP_LIMIT):
        return True, "stop_price", kind.name
    return PASS


def price_off_tick(case: Case) -> Finding:
    """Fail a price that is not a whole number of ticks."""
    if case.instrument is None:
        return None
    tick, order = case.instrument.tick_atto, case.order
    for price in (order.limit_atto, order.stop_atto, order.protection_atto, order.target_atto):
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
    return PASS if reference and reference > 0 else (True, reference, "")


def market_data_stale(case: Case) -> Finding:
    """Fail a reference price that is too old (D5)."""
    if not case.reference_atto:
        return None
    return (True, case.reference_ns, "") if case.conditions.is_stale else PASS


def stop_wrong_side(case: Case) -> Finding:
    """Fail a stop that the market has passed, and protection on the wrong side of the entry."""
    order = case.order
    stop, protection, target = order.stop_atto, order.protection_atto, order.target_atto
    if stop is None and (case.is_reducing or (protection is None and target is None)):
        return None
    direction, reference = order.direction, case.reference_atto
    if stop is not None:
        if not reference:
            return True, stop, None
        if (stop - reference) * direction <= 0:
            return True, stop, reference
        if case.is_reducing:
            return False, stop, reference
    entry = order.limit_atto or stop or reference
    if not entry:
        return True, protection, None
    if protection is not None and (entry - protection) * direction <= 0:
        return True, protection, entry
    if target is not None and (target - entry) * direction <= 0:
        return True, target, entry
    return False, protection, entry


def expiry_invalid(case: Case) -> Finding:
    """Fail an expiry that is missing, past or more than 90 days ahead."""
    order = case.order
    if order.life is not GTD:
        return None
    expires_ns, latest_ns = order.expires_ns, case.now_ns + EXPIRY_DAYS_MAX * DAY_NS
    if expires_ns is None:
        return True, "missing", "an expiry"
    return not case.now_ns < expires_ns <= latest_ns, expires_ns, latest_ns


def reduce_only_would_grow(case: Case) -> Finding:
    """Fail a reduce-only order that is larger than the position it reduces."""
    if not case.order.is_reduce_only:
        return None
    quantity, held = case.order.quantity_atto, case.opposite_atto
    return quantity > held, quantity, held


def post_only_would_cross(case: Case) -> Finding:
    """Fail a resting order that would trade at once, as far as the last quote tells."""
    order, reference = case.order, case.conditions.reference
    if not order.is_post_only:
        return None
    if reference is None:
        return True, order.limit_atto, None
    is_buy = order.direction == BUY
    other = reference.ask_atto if is_buy else reference.bid_atto
    if other is None:  # Where only trades are known, the last one stands for both sides.
        other = reference.price_atto
    if order.limit_atto is None:
        return True, "no limit", other
    return (order.limit_atto - other) * order.direction >= 0, order.limit_atto, other
