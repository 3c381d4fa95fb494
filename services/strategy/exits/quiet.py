"""Between which prices a bar changes nothing: most bars are looked at no further.

The band of a position is worked out once. A position and the rules never change, they are
replaced, so a band can be found again by which objects it was worked out for.
"""

from dataclasses import dataclass

from services.strategy.exits.found import Exits
from services.strategy.exits.raising import break_even_gain_atto
from services.strategy.exits.stops import BAR_CAP, tightest_stop
from services.strategy.exits.targets import watched_targets
from services.strategy.exits.tiers import tier_levels
from services.strategy.positions import Position
from services.strategy.terms import Bar, Direction, ExitRules, Setting

BANDS_MAX = 8_192
NOWHERE_ATTO = 10**60  # Farther than any price.


@dataclass(frozen=True, slots=True)
class Band:
    """A bar strictly within it neither touches a stop nor raises one nor reaches a target."""

    position: Position
    rules: ExitRules
    low_atto: int
    high_atto: int
    ranged: Exits  # What such a bar comes to,
    closes: Exits  # and of closes alone.


_bands: dict[int, Band] = {}


def quiet_exits(position: Position, bar: Bar, setting: Setting) -> Exits | None:
    """Return what a bar that changes nothing comes to; None where it takes a closer look."""
    if position.is_entry_bar_adverse is None:
        return None
    found = _bands.get(id(position))
    if found is None or found.position is not position or found.rules is not setting.config.exit:
        found = _kept(position, setting)
    if bar.low_atto is None or bar.high_atto is None:
        return found.closes if found.low_atto < bar.close_atto < found.high_atto else None
    is_within = found.low_atto < bar.low_atto and bar.high_atto < found.high_atto
    return found.ranged if is_within else None


def _kept(position: Position, setting: Setting) -> Band:
    if len(_bands) >= BANDS_MAX:
        _bands.clear()
    band = _bands[id(position)] = _band_of(position, setting)
    return band


def _band_of(position: Position, setting: Setting) -> Band:
    rules, side = setting.config.exit, position.direction
    is_close_look = (
        rules.time_stop is not None
        or rules.max_loss_atto > BAR_CAP  # In a very wide bar a cap binds.
    )
    if is_close_look:
        return _band(position, rules, (NOWHERE_ATTO, -NOWHERE_ATTO))
    stop = tightest_stop(position, setting)
    stop_atto = -side * NOWHERE_ATTO if stop is None else stop[0]
    gain_atto = min((side * one for one in _events_atto(position, setting)), default=NOWHERE_ATTO)
    ends_atto = (stop_atto, side * gain_atto)
    return _band(position, rules, (min(ends_atto), max(ends_atto)))


def _band(position: Position, rules: ExitRules, ends_atto: tuple[int, int]) -> Band:
    unknown = Exits(position, is_intrabar_unknown=True)
    return Band(position, rules, *ends_atto, ranged=Exits(position), closes=unknown)


def _events_atto(position: Position, setting: Setting) -> list[int]:
    """Return the prices of gain at which something happens."""
    rules, entry_atto = setting.config.exit, position.entry_atto
    side: Direction = position.direction
    prices = [one.price_atto for one in watched_targets(position, setting)]
    if rules.is_tiered_trail_on:
        prices += tier_levels(position, setting)[position.tiers_reached :]
    gain_atto = break_even_gain_atto(position, setting)
    if gain_atto is not None:
        prices.append(entry_atto + side * gain_atto)
    return prices
