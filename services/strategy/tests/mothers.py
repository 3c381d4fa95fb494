"""Valid-by-default strategies, bars and positions for the tests of this service."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runtime.atto import ATTO, to_atto
from services.strategy.positions import FLAT, Fill, Position, after_fill
from services.strategy.registry import checked
from services.strategy.terms import (
    Bar,
    Config,
    Direction,
    ExitRules,
    Point,
    Setting,
    Sizing,
    SizingWay,
)

MINUTE_NS = 60_000_000_000
TICK = ATTO // 100


def atto(price: float) -> int:
    """Return a price in attos, exact to nine decimals."""
    return to_atto(f"{price:.9f}")


def bar(minute: int, close: float, *, open_: float = 0, high: float = 0, low: float = 0) -> Bar:
    """Return the bar of a minute; what is not given lies at open and close."""
    first = open_ or close
    return Bar(
        open_ns=minute * MINUTE_NS,
        close_ns=(minute + 1) * MINUTE_NS,
        close_atto=atto(close),
        open_atto=atto(first),
        high_atto=atto(high or max(first, close)),
        low_atto=atto(low or min(first, close)),
    )


def close_only(minute: int, close: float) -> Bar:
    """Return a bar that knows its close alone."""
    return Bar(minute * MINUTE_NS, (minute + 1) * MINUTE_NS, atto(close))


def mirrored(bar: Bar, around: float = 100.0) -> Bar:
    """Return `bar` upside down."""

    def flip(price_atto: int | None) -> int | None:
        return None if price_atto is None else 2 * atto(around) - price_atto

    close_atto = flip(bar.close_atto)
    assert close_atto is not None
    return replace(
        bar,
        close_atto=close_atto,
        open_atto=flip(bar.open_atto),
        high_atto=flip(bar.low_atto),
        low_atto=flip(bar.high_atto),
    )


def setting(
    *,
    parameters: Mapping[str, Any] | None = None,
    sizing: Sizing | None = None,
    exit: ExitRules | None = None,
    is_paused: bool = False,
    has_range: bool = True,
) -> Setting:
    """Return EMA_CROSS(2, 5) that ends at ten units, on a tick of 0.01 and lots of one."""
    config = Config(
        kind="EMA_CROSS",
        account="main",
        timeframe=2,
        parameters={"fast": 2, "slow": 5, **(parameters or {})},
        sizing=sizing or Sizing(SizingWay.TARGET_POSITION, 10 * ATTO),
        exit=exit or ExitRules(),
    )
    return Setting(checked(config), TICK, ATTO, has_range=has_range, is_paused=is_paused)


def point(fast: float, slow: float, move: float = 1.0) -> Point:
    """Return a warm point of EMA_CROSS."""
    return Point({"fast": fast, "slow": slow, "move": move}, is_warm=True)


def held(
    direction: Direction = Direction.LONG,
    *,
    quantity: int = 10,
    entry: float = 100.0,
    stop: float | None = 98.0,
    minute: int = 0,
) -> Position:
    """Return a position opened at the start of `minute`, with the stop of its signal."""
    fill = Fill(
        exec_id="e-1",
        quantity_atto=direction * quantity * ATTO,
        price_atto=atto(entry),
        time_ns=minute * MINUTE_NS,
        signal_id="opening",
        stop_atto=None if stop is None else atto(stop),
        stop_source="" if stop is None else "ATR",
    )
    return after_fill(FLAT, fill)
