"""Agreement with TA-Lib to 1e-9: the definitions are the ones everybody means."""

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from services.indicators.running import compute
from services.indicators.series import choose
from services.indicators.tests import mothers

CANDLES = mothers.walk(3_000)
HIGH, LOW, CLOSE = (np.array(mothers.column(CANDLES, k)) for k in (1, 2, 3))

Reference = list[NDArray[np.float64]]

CASES: dict[str, tuple[str, dict[str, float], Reference]] = {
    "sma": ("SMA", {"n": 20}, [talib.SMA(CLOSE, 20)]),
    "ema": ("EMA", {"n": 12}, [talib.EMA(CLOSE, 12)]),
    "long ema": ("EMA", {"n": 676}, [talib.EMA(CLOSE, 676)]),
    "rsi": ("RSI", {"n": 9}, [talib.RSI(CLOSE, 9)]),
    "macd": ("MACD", {"fast": 12, "slow": 26, "signal": 9}, list(talib.MACD(CLOSE, 12, 26, 9))),
    "odd macd": ("MACD", {"fast": 6, "slow": 13, "signal": 4}, list(talib.MACD(CLOSE, 6, 13, 4))),
    "atr": ("ATR", {"n": 14}, [talib.ATR(HIGH, LOW, CLOSE, 14)]),
    "bbands": (
        "BBANDS",
        {"n": 13, "deviations": 2.5},
        list(talib.BBANDS(CLOSE, 13, nbdevup=2.5, nbdevdn=2.5)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_indicator_agrees_with_the_reference_library(name: str) -> None:
    kind, parameters, references = CASES[name]
    series = compute(choose(kind, parameters), CANDLES)
    for ours, theirs in zip(series, references, strict=False):
        first = ours.first_index
        assert np.isnan(theirs[:first]).all()
        scale = max(1.0, float(np.abs(theirs[first:]).max()) * 1e-3)
        np.testing.assert_allclose(ours.values, theirs[first:], rtol=1e-9, atol=1e-12 * scale)


def test_the_move_of_closes_is_the_true_range_of_candles_without_range() -> None:
    """The reference library has no such indicator, but its ATR of H = L = C is the same."""
    ours = compute(choose("ABS_MOVE", {"n": 14}), CANDLES)[0]
    theirs = talib.ATR(CLOSE, CLOSE, CLOSE, 14)
    np.testing.assert_allclose(ours.values, theirs[ours.first_index :], rtol=1e-9)
