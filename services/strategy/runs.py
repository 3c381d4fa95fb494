"""Runs: bars that close one after the other in one direction, kept between bars (for E11)."""

from runtime.atto import ATTO
from services.strategy.kinds import KindState
from services.strategy.terms import Bar, Direction

SIDE, START, END, BARS = "run_side", "run_start", "run_end", "run_bars"
CLOSE, PRIOR_START, PRIOR_END = "run_close", "run_prior_start", "run_prior_end"


def run_after(state: KindState, bar: Bar) -> dict[str, float]:
    """Return what is known of the run after one more bar; it ends at its furthest price."""
    close, before = bar.close_atto / ATTO, state.get(CLOSE)
    if before is None:
        return {SIDE: 0.0, START: close, END: close, BARS: 0.0, CLOSE: close}
    run = {name: state[name] for name in _NAMES if name in state} | {CLOSE: close}
    side = float((close > before) - (close < before))
    if not side:
        return run
    furthest = bar.extreme(Direction(int(side))) / ATTO
    if side == state[SIDE]:
        better = max if side > 0 else min
        return run | {END: better(state[END], furthest), BARS: state[BARS] + 1}
    prior = {PRIOR_START: state[START], PRIOR_END: state[END]} if state[SIDE] else {}
    turned = state[END] if state[SIDE] else before
    return run | prior | {SIDE: side, START: turned, END: furthest, BARS: 1.0}


def run_against(state: KindState, side: Direction) -> tuple[float, float] | None:
    """Return start and end of the run that a trade to `side` goes against, if there is one.

    A bar that turns round is the signal for the trade against the run before it.
    """
    if state.get(SIDE) == -side:
        return state[START], state[END]
    if state.get(SIDE) == side and state[BARS] == 1 and PRIOR_END in state:
        return state[PRIOR_START], state[PRIOR_END]
    return None


_NAMES = (SIDE, START, END, BARS, PRIOR_START, PRIOR_END)
