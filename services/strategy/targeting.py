"""The targets of an opening signal: E8 to E12 and those of the kind, nearest first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runtime.atto import ATTO
from services.strategy.kinds import KindState
from services.strategy.positions import Position
from services.strategy.runs import run_against
from services.strategy.terms import Bar, Direction, Point, Setting, Target, Wish
from services.strategy.ticks import target_on_tick

ATR_RATIO, SIGNAL_BAR_RATIO, INDICATOR, PULL_BACK, RANGE = (
    "ATR_RATIO",
    "SIGNAL_BAR_RATIO",
    "INDICATOR",
    "PULL_BACK",
    "RANGE",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen when a signal was made."""

    bar: Bar
    point: Point | None
    state: KindState


def targets_of(
    wish: Wish, entry_atto: int, seen: Seen, setting: Setting
) -> tuple[tuple[Target, ...], tuple[Target, ...]]:
    """Return the targets on the right side of the entry, nearest first, and the others."""
    side, tick_atto = wish.direction, setting.tick_atto
    wanted = [*_ruled(wish, entry_atto, seen, setting), *wish.targets]
    on_tick = [
        replace(one, price_atto=target_on_tick(one.price_atto, tick_atto, side))
        for one in wanted
        if one.source != RANGE or setting.config.exit.is_range_target_on
    ]
    right = [one for one in on_tick if side * (one.price_atto - entry_atto) > 0]
    wrong = tuple(one for one in on_tick if side * (one.price_atto - entry_atto) <= 0)
    return tuple(sorted(right, key=lambda one: side * one.price_atto)), wrong


def with_indicator_target(position: Position, point: Point, setting: Setting) -> Position:
    """Return a position that enters the next bar with the indicator target of this one."""
    name, side = setting.config.exit.indicator_target, position.direction
    if not name or name not in point.values or not position.quantity_atto:
        return position
    target = _indicator(name, point, side, setting)
    others = [one for one in position.targets if one.source != INDICATOR]
    is_right = side * (target.price_atto - position.entry_atto) > 0
    targets = _sorted([*others, target] if is_right else others, side)
    return position if targets == position.targets else replace(position, targets=targets)


def _ruled(wish: Wish, entry_atto: int, seen: Seen, setting: Setting) -> list[Target]:
    """Return the targets that the exit rules ask for, in their order."""
    rules, side, bar = setting.config.exit, wish.direction, seen.bar
    found = []
    if rules.atr_target_atto and wish.move is not None:
        away_atto = round(wish.move * rules.atr_target_atto)
        found.append(Target(entry_atto + side * away_atto, ATR_RATIO))
    if rules.signal_bar_target_atto and bar.high_atto is not None and bar.low_atto is not None:
        away_atto = (bar.high_atto - bar.low_atto) * rules.signal_bar_target_atto // ATTO
        found.append(Target(entry_atto + side * away_atto, SIGNAL_BAR_RATIO))
    name = rules.indicator_target
    if name and seen.point is not None and name in seen.point.values:
        found.append(_indicator(name, seen.point, side, setting))
    run = run_against(seen.state, side) if rules.is_pull_back_on else None
    if run is not None:
        start, end = run
        back = abs(end - start) * rules.pull_back_atto / ATTO
        found.append(Target(round((end + side * back) * ATTO), PULL_BACK))
    return found


def _indicator(name: str, point: Point, side: Direction, setting: Setting) -> Target:
    price_atto = round(point.values[name] * ATTO)
    return Target(target_on_tick(price_atto, setting.tick_atto, side), INDICATOR)


def _sorted(targets: Sequence[Target], side: Direction) -> tuple[Target, ...]:
    return tuple(sorted(targets, key=lambda one: side * one.price_atto))
