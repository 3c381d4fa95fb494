"""What speaks for a trade back into the envelope, and what against it."""

from collections.abc import Mapping

from services.strategy.envelope import rules as r
from services.strategy.terms import Direction, Vote

STC_LOW, STC_HIGH = 25.0, 75.0
VOLUME_MIN = 0.9
LONG = Direction.LONG

Values = Mapping[str, float]


def reasons_against(parameters: r.Parameters, values: Values, side: Direction) -> tuple[str, ...]:
    """Return the confirmations that are switched on and missing, in their order."""
    return tuple(
        reason
        for name, reason, confirms in _CONFIRMATIONS
        if r.is_on(parameters, name) and not confirms(values, side)
    )


def votes_of(parameters: r.Parameters, values: Values, side: Direction) -> tuple[Vote, ...]:
    """Return the touch of the band and every confirmation that is switched on and there."""
    confirmed = (
        Vote(f"NWE_{name.upper()}", side)
        for name, _, confirms in _CONFIRMATIONS
        if r.is_on(parameters, name) and confirms(values, side)
    )
    return (Vote("NWE_BAND", side), *confirmed)


def _cycle(values: Values, side: Direction) -> bool:
    """Whether the trend cycle is spent: low for a long, high for a short."""
    return values[r.STC] < STC_LOW if side is LONG else values[r.STC] > STC_HIGH


def _volume(values: Values, side: Direction) -> bool:
    return values[r.VOLUME_RATIO] >= VOLUME_MIN


def _hammer(values: Values, side: Direction) -> bool:
    """Whether the bar turned round: a hammer for a long, a hanging man for a short."""
    return bool(values.get(r.HAMMER if side is LONG else r.HANGING_MAN))


def _direction(values: Values, side: Direction) -> bool:
    """Whether the averages 12, 144 and 169 are not in order against the trade."""
    fast, middle, slow = (values[name] for name in r.EMAS)
    is_against = fast < middle < slow if side is LONG else fast > middle > slow
    return not is_against


_CONFIRMATIONS = (
    ("stc", "STC_UNCONFIRMED", _cycle),
    ("volume", "VOLUME_UNCONFIRMED", _volume),
    ("hammer", "HAMMER_UNCONFIRMED", _hammer),
    ("direction", "DIRECTION_AGAINST_TREND", _direction),
)
