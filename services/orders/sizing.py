"""How much a signal buys or sells, on lot and on tick; pure, in attos (10^-18).

Source: specification of the pipeline, section 8 (signal worker, step 4) and rule M2.
"""

from dataclasses import dataclass
from enum import Enum

from runtime.atto import ATTO


class Way(Enum):
    """The four ways in which a signal may say how much it wants."""

    QUANTITY = "a quantity of the instrument"
    NOTIONAL = "an amount of money"
    RISK_SHARE = "the share of equity lost if the stop is hit"
    TARGET_POSITION = "the position to end at"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a signal asks for; a target position is negative for short."""

    way: Way
    amount_atto: int


@dataclass(frozen=True, slots=True)
class Basis:
    """What the size is computed from: risk's answer, the signal's prices, the instrument."""

    equity_atto: int
    position_atto: int
    price_atto: int  # What one unit is expected to cost.
    entry_atto: int
    stop_atto: int | None
    lot_atto: int
    cap_atto: int  # The largest quantity that risk would let pass.
    minimum_atto: int = 0


def open_size(wish: Wish, *, sign: int, basis: Basis) -> int:
    """Return the signed quantity to trade: above zero buys, 0 when it is below the minimum.

    `sign` is +1 for a long signal and -1 for a short one. A target position takes the sign of
    the signal's direction and trades the difference to the position held.
    """
    wanted_atto = _wanted(wish, sign, basis)
    whole_atto = floor_to_lot(min(abs(wanted_atto), basis.cap_atto), basis.lot_atto)
    if whole_atto < max(basis.minimum_atto, 1):
        return 0
    return whole_atto if wanted_atto > 0 else -whole_atto


def close_size(position_atto: int, lot_atto: int, part_atto: int | None = None) -> int:
    """Return the signed quantity that closes `position_atto`; risk's cap is about opening.

    With a part only so much of it, at most all.
    """
    held_atto = abs(position_atto)
    given_up_atto = held_atto if part_atto is None else min(part_atto, held_atto)
    whole_atto = floor_to_lot(given_up_atto, lot_atto)
    return -whole_atto if position_atto > 0 else whole_atto


def floor_to_lot(quantity_atto: int, lot_atto: int) -> int:
    """Return the largest multiple of the lot that is not above a quantity of zero or more."""
    return quantity_atto // lot_atto * lot_atto


def limit_on_tick(price_atto: int, tick_atto: int, *, is_buy: bool) -> int:
    """Return a limit on tick, never more aggressive: a buy rounds down, a sell up."""
    return _down(price_atto, tick_atto) if is_buy else _up(price_atto, tick_atto)


def stop_on_tick(price_atto: int, tick_atto: int, *, is_long: bool) -> int:
    """Return a protective stop on tick, toward the entry: of a long up, of a short down."""
    return _up(price_atto, tick_atto) if is_long else _down(price_atto, tick_atto)


def target_on_tick(price_atto: int, tick_atto: int, *, is_long: bool) -> int:
    """Return a target on tick, toward the entry: of a long down, of a short up."""
    return _down(price_atto, tick_atto) if is_long else _up(price_atto, tick_atto)


def _wanted(wish: Wish, sign: int, basis: Basis) -> int:
    if wish.way is Way.TARGET_POSITION:
        return sign * abs(wish.amount_atto) - basis.position_atto
    if wish.way is Way.QUANTITY:
        return sign * wish.amount_atto
    if wish.way is Way.NOTIONAL:
        return sign * (wish.amount_atto * ATTO // basis.price_atto) if basis.price_atto else 0
    at_risk_atto = abs(basis.entry_atto - basis.stop_atto) if basis.stop_atto is not None else 0
    if not at_risk_atto or basis.equity_atto <= 0:
        return 0  # Without a distance to the stop no quantity risks a share of anything.
    return sign * (wish.amount_atto * basis.equity_atto // at_risk_atto)


def _down(price_atto: int, tick_atto: int) -> int:
    return price_atto // tick_atto * tick_atto


def _up(price_atto: int, tick_atto: int) -> int:
    return -(-price_atto // tick_atto) * tick_atto
