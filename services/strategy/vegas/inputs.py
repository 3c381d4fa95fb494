"""What the tunnel asks of the indicators, and the names its rules find the answers under."""

from collections.abc import Mapping, Sequence

from services.strategy.kinds import IndicatorNeed

Parameters = Mapping[str, float | str]

EMA_NAMES = tuple(f"ema{number}" for number in range(1, 8))
EMAS = tuple(f"tunnel_{name}" for name in EMA_NAMES)
CROSS, LONG_CROSS = "tunnel_cross_1_2", "tunnel_cross_1_4"
RSI, ATR, VOLUME_RATIO = "rsi", "atr", "volume_ratio"
UPPER, LOWER, WIDTH = "bands_upper", "bands_lower", "bands_width"
HISTOGRAM, HISTOGRAM_CHANGE = "macd_histogram", "macd_histogram_change"
BULL, BEAR = "engulfing_bullish", "engulfing_bearish"
HAMMER, HANGING_MAN = "hammer_hammer", "hammer_hanging_man"
LEG, LEG_IS_NEW = "leg_direction", "leg_is_new"
SWING_BREAK, SWING_CHANGE = "structure_swing_bos", "structure_swing_choch"
INNER_BREAK, INNER_CHANGE = "structure_internal_bos", "structure_internal_choch"
ZONE_LOW, ZONE_HIGH = "fib_zone_low", "fib_zone_high"

NEEDED = (*EMAS, RSI, ATR, VOLUME_RATIO, UPPER, LOWER, WIDTH, HISTOGRAM, HISTOGRAM_CHANGE)
"""Without these nothing is decided. The shape of a bar without range is absent: no vote."""

RSI_BARS, ATR_BARS, BAND_BARS, VOLUME_BARS = 9.0, 14.0, 13.0, 4.0
MACD_BARS = {"fast": 6.0, "slow": 13.0, "signal": 4.0}
WARM_AFTER = 17  # The change of the MACD histogram, the slowest beside the averages.

_ALWAYS = (
    IndicatorNeed("rsi", "RSI", {"n": RSI_BARS}),
    IndicatorNeed("atr", "ATR", {"n": ATR_BARS}),
    IndicatorNeed("bands", "BBANDS", {"n": BAND_BARS, "deviations": 2.5}),
    IndicatorNeed("macd", "MACD", MACD_BARS),
    IndicatorNeed("volume_ratio", "VOLUME_RATIO", {"n": VOLUME_BARS}),
    IndicatorNeed("engulfing", "ENGULFING", {"body": 0.4}),
    IndicatorNeed("hammer", "HAMMER", {"shadow": 0.6}),
)
_OPTIONAL = (
    ("leg", IndicatorNeed("leg", "LEG", {})),
    ("structure", IndicatorNeed("structure", "STRUCTURE", {})),
    ("fib_against_trend", IndicatorNeed("fib", "FIB", {})),
)


def indicators(parameters: Parameters, has_range: bool) -> Sequence[IndicatorNeed]:
    """Return what is needed; of closes alone the slowest average, which is never enough."""
    if not has_range:
        return [IndicatorNeed("slowest", "EMA", {"n": float(parameters[EMA_NAMES[-1]])})]
    periods = {f"n{at}": float(parameters[n]) for at, n in enumerate(EMA_NAMES, 1)}
    averages = IndicatorNeed("tunnel", "EMA_SET", periods)
    chosen = (need for switch, need in _OPTIONAL if parameters[switch] == "ON")
    return [averages, *_ALWAYS, *chosen]
