"""Names of the checks and of their outcomes; the numbers are those of the contract."""

from enum import IntEnum


class Reason(IntEnum):
    """Why a signal may not become an order, or an order may not leave."""

    NOT_ENTITLED = 1
    ACCOUNT_INACTIVE = 2
    INSTRUMENT_UNKNOWN = 3
    INSTRUMENT_NOT_TRADABLE = 4
    SESSION_CLOSED = 5
    RESTRICTED = 6
    ORDER_TYPE_UNSUPPORTED = 7
    TIME_IN_FORCE_UNSUPPORTED = 8
    DUPLICATE_ORDER = 9
    NUMBER_INVALID = 10
    PRICE_OFF_TICK = 11
    QUANTITY_OFF_LOT = 12
    QUANTITY_BELOW_MIN = 13
    QUANTITY_ABOVE_MAX = 14
    NOTIONAL_ABOVE_MAX = 15
    PRICE_OUTSIDE_COLLAR = 16
    REFERENCE_MISSING = 17
    MARKET_DATA_STALE = 18
    STOP_WRONG_SIDE = 19
    EXPIRY_INVALID = 20
    REDUCE_ONLY_WOULD_GROW = 21
    POST_ONLY_WOULD_CROSS = 22
    NO_PROTECTION = 23
    BUYING_POWER = 24
    POSITION_LIMIT = 25
    GROSS_EXPOSURE = 26
    ENTRIES_PER_INSTRUMENT = 27
    SHORT_NOT_ALLOWED = 28
    OPEN_ORDERS = 29
    OPEN_ORDER_VALUE = 30
    ORDER_RATE = 31
    REPEATED_EXECUTION = 32
    DAILY_LOSS = 33
    DRAWDOWN = 34
    LOSS_STREAK = 35
    MODE_BLOCKED = 36
    IN_DOUBT_BLOCK = 37
    LIMITS_VERSION_MISMATCH = 38
    CURRENCY_UNSUPPORTED = 39
    SIGNAL_EXPIRED = 40
    SIGNAL_DUPLICATE = 41
    STRATEGY_NOT_RUNNING = 42


class Outcome(IntEnum):
    """How a check came out."""

    PASSED = 1
    FAILED = 2
    WAIVED = 3
    NOT_APPLICABLE = 4


class Verdict(IntEnum):
    """What was decided."""

    APPROVED = 1
    REJECTED = 2
    RESIZED = 3


class Mode(IntEnum):
    """What may still be done; of several modes the highest number holds."""

    ACTIVE = 1
    REDUCE_ONLY = 2
    CANCEL_ONLY = 3
    HALTED = 4


Value = int | str | None  # An amount in the check's unit, a name, or None: not known.


# Code, outcome, what was seen, what would have been allowed. A plain tuple: two dozen are made
# for every order, and making a named one takes eight times as long.
CheckResult = tuple[Reason, Outcome, Value, Value]
