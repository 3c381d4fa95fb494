"""The table of checks of the first depth, in the order of their codes.

Each is a small pure function. It returns None when it says nothing about the case, else
whether it failed, what it observed and what is allowed; None as a number means that something
needed is missing, and that fails. Source: specification of the pipeline, section 7.
"""

from services.risk import exposures, terms
from services.risk.judging import Check, Finding, Judge
from services.risk.reasons import Reason

__all__ = ["ORDER_CHECKS", "Check", "Finding", "Judge"]

ORDER_CHECKS = (
    Check(Reason.NOT_ENTITLED, terms.not_entitled, is_on_signal=True),
    Check(Reason.ACCOUNT_INACTIVE, terms.account_inactive, is_on_signal=True),
    Check(Reason.INSTRUMENT_UNKNOWN, terms.instrument_unknown, is_on_signal=True),
    Check(Reason.INSTRUMENT_NOT_TRADABLE, terms.instrument_not_tradable, is_on_signal=True),
    Check(Reason.SESSION_CLOSED, terms.session_closed),
    Check(Reason.RESTRICTED, terms.restricted, is_waived=True, is_on_signal=True),
    Check(Reason.ORDER_TYPE_UNSUPPORTED, terms.order_type_unsupported),
    Check(Reason.TIME_IN_FORCE_UNSUPPORTED, terms.time_in_force_unsupported),
    Check(Reason.DUPLICATE_ORDER, terms.duplicate_order, is_waived=True),
    Check(Reason.NUMBER_INVALID, terms.number_invalid),
    Check(Reason.PRICE_OFF_TICK, terms.price_off_tick, unit="atto"),
    Check(Reason.QUANTITY_OFF_LOT, terms.quantity_off_lot, unit="atto"),
    Check(Reason.QUANTITY_BELOW_MIN, terms.quantity_below_min, unit="atto"),
    Check(Reason.QUANTITY_ABOVE_MAX, terms.quantity_above_max, unit="atto"),
    Check(Reason.NOTIONAL_ABOVE_MAX, exposures.notional_above_max, is_waived=True, unit="money"),
    Check(Reason.PRICE_OUTSIDE_COLLAR, terms.price_outside_collar, unit="atto"),
    Check(Reason.REFERENCE_MISSING, terms.reference_missing, is_on_signal=True, unit="atto"),
    Check(Reason.MARKET_DATA_STALE, terms.market_data_stale, True, is_on_signal=True, unit="time"),
    Check(Reason.STOP_WRONG_SIDE, terms.stop_wrong_side, is_on_signal=True, unit="atto"),
    Check(Reason.EXPIRY_INVALID, terms.expiry_invalid, unit="time"),
    Check(Reason.REDUCE_ONLY_WOULD_GROW, terms.reduce_only_would_grow, unit="atto"),
    Check(Reason.POST_ONLY_WOULD_CROSS, terms.post_only_would_cross, unit="atto"),
    Check(Reason.NO_PROTECTION, exposures.no_protection, True, is_on_signal=True, unit="atto"),
    Check(Reason.BUYING_POWER, exposures.buying_power, is_waived=True, unit="money"),
    Check(Reason.POSITION_LIMIT, exposures.position_limit, True, is_on_signal=True, unit="money"),
    Check(Reason.GROSS_EXPOSURE, exposures.gross_exposure, True, is_on_signal=True, unit="money"),
    Check(Reason.ENTRIES_PER_INSTRUMENT, exposures.entries_per_instrument, True, is_on_signal=True),
    Check(Reason.SHORT_NOT_ALLOWED, exposures.short_not_allowed, unit="atto"),
    Check(Reason.OPEN_ORDERS, exposures.open_orders, is_waived=True),
    Check(Reason.OPEN_ORDER_VALUE, exposures.open_order_value, is_waived=True, unit="money"),
    Check(Reason.ORDER_RATE, exposures.order_rate, is_waived=True),
    Check(Reason.REPEATED_EXECUTION, exposures.repeated_execution, is_waived=True),
    Check(Reason.DAILY_LOSS, exposures.daily_loss, True, is_on_signal=True, unit="bps"),
    Check(Reason.DRAWDOWN, exposures.drawdown, True, is_on_signal=True, unit="bps"),
    Check(Reason.LOSS_STREAK, exposures.loss_streak, True, is_on_signal=True),
    Check(Reason.MODE_BLOCKED, exposures.mode_blocked, is_on_signal=True),
    Check(Reason.IN_DOUBT_BLOCK, exposures.in_doubt_block, True, is_on_signal=True),
    Check(Reason.LIMITS_VERSION_MISMATCH, exposures.limits_version_mismatch),
    Check(Reason.CURRENCY_UNSUPPORTED, exposures.currency_unsupported, is_on_signal=True),
)
