"""The checks of what an order would make of the account: money, positions, rates and modes."""

from functools import lru_cache

from runtime.atto import minor_from_atto
from services.risk.account import lost_bps
from services.risk.case import Case
from services.risk.judging import PASS, Finding, above
from services.risk.orders import BUY
from services.risk.reasons import Mode
from services.risk.rules import ProtectionRule

BPS = 10_000
# Looked up once: naming a member through its class costs as much as a small check.
ACTIVE, REDUCE_ONLY = Mode.ACTIVE, Mode.REDUCE_ONLY
MODE_NAMES = {mode: mode.name for mode in Mode}
FOR_STRATEGIES, FOR_NONE = ProtectionRule.STRATEGIES, ProtectionRule.NONE
UNKNOWN: Finding = (True, None, None)  # What is needed is not known: that fails.
_in_minor = lru_cache(1_024)(minor_from_atto)  # Of limits, which are few.


def notional_above_max(case: Case) -> Finding:
    """Fail an order worth more than one order may be."""
    priced = case.priced
    limit = _in_minor(case.limits.order_notional_max_atto, case.currency)
    return above(priced and priced.notional_minor, limit)


def no_protection(case: Case) -> Finding:
    """Fail an opening order without a stop where one is required."""
    rule, order = case.limits.protection, case.order
    if rule is FOR_NONE or case.is_reducing:
        return None
    if rule is FOR_STRATEGIES and not order.strategy_id:
        return None
    return PASS if order.protection_atto is not None else (True, None, "")


def buying_power(case: Case) -> Finding:
    """Fail an order whose worst case is more than the free cash."""
    priced = case.priced
    return above(priced and priced.hold_minor, case.free_minor)


def position_limit(case: Case) -> Finding:
    """Fail when position, open orders and order would be too large in one instrument."""
    priced, equity = case.priced, case.equity_minor
    if priced is None or equity is None:
        return UNKNOWN
    observed = priced.resulting_minor
    limit = equity * case.limits.position_share_bps_max // BPS
    return observed > limit, observed, limit


def gross_exposure(case: Case) -> Finding:
    """Fail when all positions and opening orders together would be too large."""
    priced, equity = case.priced, case.equity_minor
    if priced is None or equity is None:
        return UNKNOWN
    observed = priced.elsewhere_minor + priced.resulting_minor
    limit = equity * case.limits.gross_share_bps_max // BPS
    return observed > limit, observed, limit


def entries_per_instrument(case: Case) -> Finding:
    """Fail one entry too many on the order's side of the instrument."""
    return above(case.entries, case.limits.entries_per_instrument_max)


def short_not_allowed(case: Case) -> Finding:
    """Fail an order that would end short where that is not allowed."""
    if case.order.direction == BUY or case.is_reducing:
        return None
    if case.instrument is not None and not case.instrument.is_shortable:
        return True, case.opening_atto, "instrument is long-only"
    return not case.limits.is_short_allowed, case.opening_atto, ""


def open_orders(case: Case) -> Finding:
    """Fail one open order too many."""
    return above(case.open_orders, case.limits.open_orders_max)


def open_order_value(case: Case) -> Finding:
    """Fail when opening orders together would be worth too much."""
    priced, equity = case.priced, case.equity_minor
    if priced is None or equity is None:
        return UNKNOWN
    observed = priced.total_opening_minor
    limit = equity * case.limits.open_order_value_share_bps_max // BPS
    return observed > limit, observed, limit


def order_rate(case: Case) -> Finding:
    """Fail one order too many in a minute; an order decided anew is not another one."""
    strategy_id, limits = case.order.strategy_id, case.limits
    more = 1 if case.prior is None else 0
    of_strategy, of_account = case.account.rates(strategy_id, case.now_ns)
    if strategy_id and of_strategy + more > limits.strategy_orders_per_minute_max:
        return True, of_strategy + more, limits.strategy_orders_per_minute_max
    return above(of_account + more, limits.account_orders_per_minute_max)


def repeated_execution(case: Case) -> Finding:
    """Fail a strategy that opened the same way too often in a minute, until a person allows it."""
    order, most = case.order, case.limits.repeated_executions_per_minute_max
    if not order.strategy_id or not most:
        return None
    count = case.openings
    block = case.conditions.blocks.repeated  # One that a person overruled stops nothing.
    return block > 0 or (not block and count > most), count, most


def daily_loss(case: Case) -> Finding:
    """Fail when the day's loss has reached its limit (K7)."""
    if case.equity_minor is None:
        return True, None, None
    lost = lost_bps(case.account.day_equity_minor, case.equity_minor)
    most = case.limits.day_loss_bps_max
    block = case.conditions.blocks.day_loss
    return block > 0 or (not block and 0 < lost >= most), lost, most


def drawdown(case: Case) -> Finding:
    """Fail when equity is too far below its highest (K7)."""
    if case.equity_minor is None:
        return True, None, None
    lost = lost_bps(case.account.high_water_minor, case.equity_minor)
    most = case.limits.drawdown_bps_reduce_only
    block = case.conditions.blocks.drawdown
    return block > 0 or (not block and 0 < lost >= most), lost, most


def loss_streak(case: Case) -> Finding:
    """Fail a strategy that lost too often in a row (K7)."""
    strategy_id, most = case.order.strategy_id, case.limits.losses_in_a_row_max
    if not strategy_id:
        return None
    losses = case.account.losses(strategy_id) if case.account.streaks else 0
    block = case.conditions.blocks.streak
    return block > 0 or (not block and 0 < losses >= most), losses, most


def mode_blocked(case: Case) -> Finding:
    """Fail what the trading mode does not allow."""
    mode = case.mode
    if mode is ACTIVE or (mode is REDUCE_ONLY and case.is_reducing):
        return PASS
    return True, MODE_NAMES[mode], ""


def in_doubt_block(case: Case) -> Finding:
    """Fail what would open while another order of the instrument is in doubt.

    An order that is in doubt itself may be sent again: it was held for before, and still is.
    """
    is_doubtful = case.prior is not None and case.prior.is_in_doubt
    return (True, "", "") if case.is_in_doubt and not is_doubtful else PASS


def limits_version_mismatch(case: Case) -> Finding:
    """Fail an order that was decided by older limits than those in force."""
    decided_by, present = case.conditions.decided_by, case.limits.version
    if decided_by is None:
        return None
    return decided_by < present, decided_by, present


def currency_unsupported(case: Case) -> Finding:
    """Fail an instrument in another currency than the account settles (M6)."""
    if case.instrument is None:
        return None
    settled, priced = case.account.currency, case.instrument.currency
    return PASS if priced == settled else (True, priced, settled or None)
