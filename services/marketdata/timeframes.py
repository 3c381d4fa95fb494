"""The lengths of candles; the numbers are those of `trading.types.v1.Timeframe`."""

from enum import IntEnum

NS_PER_SECOND = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_SECOND
NS_PER_HOUR = 60 * NS_PER_MINUTE
NS_PER_DAY = 24 * NS_PER_HOUR


class Timeframe(IntEnum):
    """How long one candle lasts."""

    SECOND_1 = 1
    MINUTE_1 = 2
    MINUTE_5 = 3
    MINUTE_15 = 4
    MINUTE_30 = 5
    HOUR_1 = 6
    HOUR_4 = 7
    DAY_1 = 8
    WEEK_1 = 9

    @property
    def is_by_session(self) -> bool:
        """Daily and weekly candles follow the calendar's sessions, not the UTC clock."""
        return self >= Timeframe.DAY_1


DURATION_NS = {
    Timeframe.SECOND_1: NS_PER_SECOND,
    Timeframe.MINUTE_1: NS_PER_MINUTE,
    Timeframe.MINUTE_5: 5 * NS_PER_MINUTE,
    Timeframe.MINUTE_15: 15 * NS_PER_MINUTE,
    Timeframe.MINUTE_30: 30 * NS_PER_MINUTE,
    Timeframe.HOUR_1: NS_PER_HOUR,
    Timeframe.HOUR_4: 4 * NS_PER_HOUR,
    Timeframe.DAY_1: NS_PER_DAY,
    Timeframe.WEEK_1: 7 * NS_PER_DAY,
}
