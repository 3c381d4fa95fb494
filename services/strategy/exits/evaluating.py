"""The order of the exits: stops E1 to E6, the time stop E7, targets E8 to E12.

Levels count as they were when the bar opened; what this bar raises acts from the next one.
Of several stops touched the tightest was reached first, of several targets the nearest; a
stop wins over a target. A bar that opened beyond a level exits at its open. Of closes alone
nothing within the bar is known: the close is compared.
"""

from dataclasses import replace

from services.strategy.exits.found import Exit, Exits
from services.strategy.exits.quiet import quiet_exits
from services.strategy.exits.raising import after_bar
from services.strategy.exits.stops import is_tightened, touched_stop
from services.strategy.exits.targets import touched_target
from services.strategy.exits.time_stop import time_exit
from services.strategy.positions import Position
from services.strategy.terms import Bar, Setting


def evaluate_exits(position: Position, bar: Bar, setting: Setting) -> Exits:
    """Return whether `bar` ends `position`, and the stops that hold from the next bar on.

    A bar that ended before the position was opened says nothing about it.
    """
    if not position.quantity_atto or bar.close_ns <= position.opened_ns:
        return Exits(position)
    quiet = quiet_exits(position, bar, setting)
    if quiet is not None:
        return quiet
    is_unknown = not bar.has_range
    stop = touched_stop(position, bar, setting)
    if stop is not None:
        return Exits(position, stop, is_intrabar_unknown=is_unknown)
    after = after_bar(position, bar, setting)
    found = time_exit(after, bar, setting) or touched_target(position, bar, setting)
    if found is not None and found.is_whole:
        return Exits(position, found, is_intrabar_unknown=is_unknown)
    is_raised = after is not position and is_tightened(position, after, setting)
    if found is not None:
        after = _in_part(after, found)
    return Exits(after, found, is_raised, is_unknown)


def _in_part(position: Position, found: Exit) -> Position:
    """Return the position that will not give up the same part again."""
    if found.target is None:
        return replace(position, is_halved=True)
    rest = tuple(one for one in position.targets if one != found.target)
    return replace(position, targets=rest)
