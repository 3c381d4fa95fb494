"""One kernel per indicator: the only arithmetic there is, run bar by bar or over arrays.

`kernel(setup, state, bars, out)` feeds the bars to the state and writes one row of outputs
per bar, flat (`out[bar * outputs + output]`); what has no value stays as it was (NaN).
`setup` are the parameters as floats; `state` is a flat list or array of floats, changed in
place; `bars` are the columns open, high, low, close, volume.

The same source runs in plain Python and compiled, without fast-math, so both give the same
bits. Therefore only loops, floats, indexing and functions of the same module here.
Averages of prices move by `a += weight * (x - a)`, seeds too: a flat market stays exactly flat.
"""

from services.indicators.kernels.averages import WINDOW, bbands, ema, ema_set, macd, sma
from services.indicators.kernels.bars import COLUMNS, Bars, Floats, Kernel
from services.indicators.kernels.patterns import engulfing, fvg, hammer
from services.indicators.kernels.swings import equal_levels, fib, leg, structure
from services.indicators.kernels.wilder import abs_move, atr, rsi
from services.indicators.kernels.windows import kdj, nwe, parkinson, room, stc, volume_ratio

__all__ = [
    "COLUMNS",
    "WINDOW",
    "Bars",
    "Floats",
    "Kernel",
    "abs_move",
    "atr",
    "bbands",
    "ema",
    "ema_set",
    "engulfing",
    "equal_levels",
    "fib",
    "fvg",
    "hammer",
    "kdj",
    "leg",
    "macd",
    "nwe",
    "parkinson",
    "room",
    "rsi",
    "sma",
    "stc",
    "structure",
    "volume_ratio",
]
