"""The parameters of the envelope, and what it asks of the indicators.

| parameter | default | is |
|---|---|---|
| `h`, `mult`, `window` | 8, 3, 500 | the envelope |
| `mode` | STOP_AND_REVERSE | or AS_SIZED: an opposite signal does not turn a position round |
| `stop_atr` | 0.5 | k: the stop lies k x ATR(14) behind the close |
| `dynamic_stop`, its gain | OFF | k x (1 + gain x tanh(P48 / P288 - 1)) in 0.3..3, P = PARKINSON |
| `scaled_envelope` | OFF | half-width x (1 + 0.5 (ATR / mean range of 20 bars - 1)) in 0.6..2 |
| `stc`, `volume`, `direction` | ON | confirmations: trend cycle, volume ratio, order of averages |
| `hammer` | OFF | confirmation: the shape of the bar |
| `targets`, `target_ratio` | TIERS, 2 | 1.5, 2 and 5 stop distances; or SINGLE, so many; or NONE |
"""

from collections.abc import Mapping, Sequence

from services.strategy.kinds import IndicatorNeed
from services.strategy.parameters import Choice, Parameter, Real, Whole
from services.strategy.terms import Config, SizingWay, StrategyRefused

Parameters = Mapping[str, float | str]

STOP_AND_REVERSE, AS_SIZED = "STOP_AND_REVERSE", "AS_SIZED"
ON, OFF = "ON", "OFF"
TIERS, SINGLE, NONE = "TIERS", "SINGLE", "NONE"

UPPER, CENTRE, LOWER = "envelope_upper", "envelope_centre", "envelope_lower"
ATR, STC, VOLUME_RATIO = "atr", "stc", "volume_ratio"
EMAS = ("ema12", "ema144", "ema169")
HAMMER, HANGING_MAN = "hammer_hammer", "hammer_hanging_man"
SHORT_PARKINSON, LONG_PARKINSON = "parkinson48", "parkinson288"
WARM_AFTER = 288  # PARKINSON(288); every other indicator beside the envelope is warm sooner.

SCHEMA: tuple[Parameter, ...] = (
    Real("h", 8.0, 0.5, 1_000.0),
    Real("mult", 3.0, 0.1, 20.0),
    Whole("window", 500, 2, 5_000),
    Choice("mode", (STOP_AND_REVERSE, AS_SIZED)),
    Real("stop_atr", 0.5, 0.1, 10.0),
    Choice("dynamic_stop", (OFF, ON)),
    Real("stop_gain", 0.5, 0.0, 2.0),
    Choice("scaled_envelope", (OFF, ON)),
    Choice("stc", (ON, OFF)),
    Choice("volume", (ON, OFF)),
    Choice("hammer", (OFF, ON)),
    Choice("direction", (ON, OFF)),
    Choice("targets", (TIERS, SINGLE, NONE)),
    Real("target_ratio", 2.0, 0.1, 100.0),
)


def is_on(parameters: Parameters, name: str) -> bool:
    """Whether an option is switched on."""
    return parameters[name] == ON


def indicators(parameters: Parameters, has_range: bool) -> Sequence[IndicatorNeed]:
    """Return what is asked for; of closes alone only the envelope, which tells how warm it is."""
    shape = {name: float(parameters[name]) for name in ("h", "mult", "window")}
    envelope = IndicatorNeed("envelope", "NWE", shape)
    if not has_range:
        return [envelope]
    chosen = [envelope, IndicatorNeed(ATR, "ATR", {"n": 14.0})]
    if is_on(parameters, "stc"):
        chosen.append(IndicatorNeed(STC, "STC", {}))
    if is_on(parameters, "volume"):
        chosen.append(IndicatorNeed(VOLUME_RATIO, "VOLUME_RATIO", {"n": 4.0}))
    if is_on(parameters, "hammer"):
        chosen.append(IndicatorNeed("hammer", "HAMMER", {"shadow": 0.45}))
    if is_on(parameters, "direction"):
        chosen += [IndicatorNeed(name, "EMA", {"n": float(name[3:])}) for name in EMAS]
    if is_on(parameters, "dynamic_stop"):
        chosen.append(IndicatorNeed(SHORT_PARKINSON, "PARKINSON", {"n": 48.0}))
        chosen.append(IndicatorNeed(LONG_PARKINSON, "PARKINSON", {"n": 288.0}))
    return chosen


def needed(parameters: Parameters) -> Sequence[str]:
    """Return the values without which nothing is decided; a bar without range is no hammer."""
    names = [UPPER, CENTRE, LOWER, ATR]
    if is_on(parameters, "stc"):
        names.append(STC)
    if is_on(parameters, "volume"):
        names.append(VOLUME_RATIO)
    if is_on(parameters, "direction"):
        names += EMAS
    if is_on(parameters, "dynamic_stop"):
        names += [SHORT_PARKINSON, LONG_PARKINSON]
    return names


def warm_after(parameters: Parameters) -> int:
    """Return how many candles everything takes to be warm."""
    return max(2 * int(parameters["window"]) - 2, WARM_AFTER)


def check(config: Config) -> None:
    """Refuse a sizing that the mode cannot use."""
    is_reversing = config.parameters["mode"] == STOP_AND_REVERSE
    unfit = SizingWay.RISK_SHARE if is_reversing else SizingWay.TARGET_POSITION
    if config.sizing.way is unfit:
        raise StrategyRefused(
            "SIZING_INVALID",
            f"sizing is a {unfit.value}, which mode {config.parameters['mode']} cannot use: "
            f"choose another sizing, or mode {AS_SIZED if is_reversing else STOP_AND_REVERSE}",
            field="sizing",
        )
