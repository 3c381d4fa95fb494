"""How fast indicators are computed: `python -m services.indicators.bench`.

A million points in one compiled batch, beside the reference library on the same data, and one
step of a live series in plain Python. Ratios and the best of many rounds, because what else
runs on the machine only ever adds.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import talib
from numpy.typing import NDArray

from services.indicators.catalogue import Setup
from services.indicators.compiled import compiled
from services.indicators.running import Running
from services.indicators.series import choose

POINTS = 1_000_000
STEPS = 1_000  # A short round finds a quiet moment.
ROUNDS, STEP_ROUNDS = 15, 200
RATIO_MAX = 2.0
STEP_US_MAX = 2.0

Array = NDArray[np.float64]
Rival = Callable[[Array], object]

RIVALS: dict[str, tuple[dict[str, float], Rival]] = {
    "SMA": ({"n": 30}, lambda bars: talib.SMA(bars[3], 30)),
    "EMA": ({"n": 30}, lambda bars: talib.EMA(bars[3], 30)),
    "RSI": ({"n": 9}, lambda bars: talib.RSI(bars[3], 9)),
    "MACD": ({}, lambda bars: talib.MACD(bars[3], 12, 26, 9)),
    "ATR": ({"n": 14}, lambda bars: talib.ATR(bars[1], bars[2], bars[3], 14)),
    "ABS_MOVE": ({"n": 14}, lambda bars: talib.ATR(bars[3], bars[3], bars[3], 14)),
    "BBANDS": ({}, lambda bars: talib.BBANDS(bars[3], 13, nbdevup=2.5, nbdevdn=2.5)),
}


def walk() -> Array:
    """Return the columns of a random walk."""
    rng = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, POINTS)))
    high = close * (1 + abs(rng.normal(0, 1e-4, POINTS)))
    low = close * (1 - abs(rng.normal(0, 1e-4, POINTS)))
    return np.ascontiguousarray(np.stack([close, high, low, close, np.ones(POINTS)]))


def best_s(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the seconds of the fastest of many rounds."""
    times = []
    for _ in range(rounds):
        began_s = time.perf_counter()
        work()
        times.append(time.perf_counter() - began_s)
    return min(times)


def batch_s(kind: str, setup: Setup, bars: Array) -> float:
    """Return the seconds of one compiled batch, its room given as the rival's own is."""
    definition = choose(kind, {}).definition
    kernel, parameters = compiled(definition.kernel), np.array(setup)
    out = np.full(POINTS * len(definition.outputs), np.nan)
    state = definition.state(setup)
    kernel(parameters, np.array(state), bars[:, :2].copy(), out[:8])  # Compiles.
    return best_s(lambda: kernel(parameters, np.array(state), bars, out))


def step_us(kind: str, bars: Array) -> float:
    """Return the microseconds of one live step."""
    opens, highs, lows, closes, volumes = (column[:STEPS].tolist() for column in bars)
    made = list(zip(opens, highs, lows, closes, volumes, strict=True))

    def run() -> None:
        running = Running(choose(kind, {}))
        for bar in made:
            running.step(bar)

    return best_s(run, STEP_ROUNDS) / STEPS * 1e6


def main() -> int:
    """Print each figure beside its limit; return 1 if one is missed."""
    bars, is_missed = walk(), False
    _say("indicator", "batch ms", "rival ms", "ratio", "step µs")
    for kind, (parameters, rival) in RIVALS.items():
        ours_s = batch_s(kind, choose(kind, parameters).setup, bars)
        theirs_s = best_s(lambda rival=rival: rival(bars))  # type: ignore[misc]
        ratio, step = ours_s / theirs_s, step_us(kind, bars)
        is_missed |= ratio > RATIO_MAX or step > STEP_US_MAX
        _say(kind, f"{ours_s * 1e3:.2f}", f"{theirs_s * 1e3:.2f}", f"{ratio:.2f}", f"{step:.2f}")
    _say(f"limits: ratio {RATIO_MAX}, step {STEP_US_MAX} µs")
    return int(is_missed)


def _say(first: str, *more: str) -> None:
    sys.stdout.write(f"{first:<12}" + "".join(f"{text:>12}" for text in more) + "\n")


if __name__ == "__main__":
    sys.exit(main())
