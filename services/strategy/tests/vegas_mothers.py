"""Valid-by-default views, points and settings of the tunnel: in them nothing votes or speaks."""

from collections.abc import Mapping
from typing import Any

from runtime.atto import ATTO
from services.strategy.registry import checked
from services.strategy.terms import Bar, Config, ExitRules, Point, Setting, Sizing, SizingWay
from services.strategy.tests.mothers import TICK, bar
from services.strategy.vegas import inputs as i
from services.strategy.vegas.view import Before, Emas, View, shape_of

# Short-term averages in no order, so that neither trend holds; all of them around 100.
EMAS: tuple[float, ...] = (100.0, 100.2, 100.1, 100.0, 100.1, 100.0, 100.1)
UP: tuple[float, ...] = (108.0, 106.0, 104.0, 102.0, 101.0, 100.0, 99.0)
DOWN: tuple[float, ...] = (92.0, 94.0, 96.0, 98.0, 99.0, 100.0, 101.0)
QUIET: Mapping[str, float] = {
    i.RSI: 50.0,
    i.ATR: 2.0,
    i.VOLUME_RATIO: 1.0,
    i.UPPER: 200.0,
    i.LOWER: 10.0,
    i.WIDTH: 0.10,
    i.HISTOGRAM: 0.0,
    i.HISTOGRAM_CHANGE: 0.0,
    i.BULL: 0.0,
    i.BEAR: 0.0,
    i.HAMMER: 0.0,
    i.HANGING_MAN: 0.0,
    i.CROSS: 0.0,
    i.LONG_CROSS: 0.0,
}


def bar_of(prices: str) -> Bar:
    """Return a bar of "open high low close"."""
    opened, high, low, close = map(float, prices.split())
    return bar(5, close, open_=opened, high=high, low=low)


def before(
    close: float,
    *,
    high: float = 0,
    low: float = 0,
    ema2: float = 100.2,
    ema5: float = 100.1,
) -> Before:
    """Return a bar before that closed at `close`, flat unless more is said."""
    return Before(close, high or close, low or close, ema2, ema5)


def view(
    prices: str = "100 100.5 99.5 100.1",
    *,
    emas: tuple[float, ...] = EMAS,
    was: Before | None = None,
    is_four_hours: bool = False,
    **values: Any,
) -> View:
    """Return what the rules see after a bar; values by the last part of their name in `inputs`."""
    named = {getattr(i, name.upper()): float(value) for name, value in values.items()}
    return View(
        bar=shape_of(bar_of(prices)),
        emas=Emas._make(emas),
        before=was,
        values={**QUIET, **named},
        is_four_hours=is_four_hours,
    )


def point(emas: tuple[float, ...] = EMAS, **values: float) -> Point:
    """Return a warm point."""
    named = {getattr(i, name.upper()): value for name, value in values.items()}
    return Point({**QUIET, **dict(zip(i.EMAS, emas, strict=True)), **named}, is_warm=True)


def setting(*, exit: ExitRules | None = None, timeframe: int = 2, **parameters: Any) -> Setting:
    """Return VEGAS that ends at ten units, on a tick of 0.01 and lots of one."""
    config = Config(
        kind="VEGAS",
        account="main",
        timeframe=timeframe,
        parameters=parameters,
        sizing=Sizing(SizingWay.TARGET_POSITION, 10 * ATTO),
        exit=exit or ExitRules(),
    )
    return Setting(checked(config), TICK, ATTO)
