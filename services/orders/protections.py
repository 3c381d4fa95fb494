"""Which entries have a stop or a target at the venue, and the orders that are these."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update
from trading.types.v1 import order_pb2, signal_pb2
from trading.types.v1.order_pb2 import OrderSpec
from trading.types.v1.signal_pb2 import Signal

from runtime.atto import from_atto, to_atto
from services.orders import sizing, store
from services.orders import tables as t
from services.orders.legs import Leg, Role
from services.orders.store import Key, Stored
from services.orders.wire import attos

FIRST_NUMBER = 900_001  # From here on numbers name protective orders, not children.
NUMBERS = 9
NAMES = ("sl", *(str(FIRST_NUMBER + n) for n in range(NUMBERS)), "tp")
SELLS = (order_pb2.SIDE_SELL, order_pb2.SIDE_SELL_SHORT)

DIRECTIONS = {True: signal_pb2.DIRECTION_LONG, False: signal_pb2.DIRECTION_SHORT}

_table = t.protections
_INSERT = insert(_table)
_ACTIVE = select(_table).where(_table.c.is_over == 0).order_by(_table.c.client_order_id)
_OF_ACCOUNT = _ACTIVE.where(_table.c.account == bindparam("of_account"))
_NAMED = (
    _table.c.account == bindparam("of_account"),
    _table.c.client_order_id == bindparam("of_client_order_id"),
)
_END = update(_table).where(*_NAMED).values(is_over=1)
_MOVE = update(_table).where(*_NAMED)
_TRADED = (
    select(t.orders)
    .where(
        t.orders.c.account == bindparam("of_account"),
        t.orders.c.instrument == bindparam("of_instrument"),
        t.orders.c.cum != "0",
    )
    .order_by(t.orders.c.number)
)


class Protected(NamedTuple):
    """An entry with its legs, in the order in which they were made."""

    entry: Stored
    spec: OrderSpec
    stop_price_atto: int
    legs: Sequence[Leg]


def is_protected(spec: OrderSpec) -> bool:
    """Whether the venue is to watch the position that an order opens."""
    return spec.protection.mode == order_pb2.PROTECTION_MODE_VENUE_STOP


def note(tx: Connection, new: Stored) -> None:
    """Remember a new entry that is to be protected."""
    spec = OrderSpec.FromString(new.spec)
    if not is_protected(spec):
        return
    row = {"account": new.account, "client_order_id": new.client_order_id, "is_over": 0}
    stop = from_atto(attos(spec.protection.stop_price))
    tx.execute(_INSERT, row | {"stop_price": stop})


def active(tx: Connection) -> list[Key]:
    """Return the entries that may need work."""
    return [(row.account, row.client_order_id) for row in tx.execute(_ACTIVE)]


def load(tx: Connection, account: str, instrument: str) -> list[Protected]:
    """Return the entries in an instrument that may need work, oldest first."""
    rows = tx.execute(_OF_ACCOUNT, {"of_account": account}).all()
    found = [_protected(tx, account, row.client_order_id, row.stop_price) for row in rows]
    found = [each for each in found if each.entry.instrument == instrument]
    return sorted(found, key=lambda each: each.entry.number)


def position_atto(tx: Connection, account: str, instrument: str) -> int:
    """Return the position that all orders together have made, below zero for short."""
    rows = tx.execute(_TRADED, {"of_account": account, "of_instrument": instrument})
    total_atto = 0
    for stored in map(store.stored_of, rows):
        is_sale = OrderSpec.FromString(stored.spec).side in SELLS
        total_atto += -stored.order.cum_atto if is_sale else stored.order.cum_atto
    return total_atto


def end(tx: Connection, key: Key) -> None:
    """Note that nothing is left of an entry to protect."""
    tx.execute(_END, {"of_account": key[0], "of_client_order_id": key[1]})


def move_stop(tx: Connection, key: Key, price_atto: int) -> None:
    """Note where the stop of an entry is to stand."""
    named = {"of_account": key[0], "of_client_order_id": key[1]}
    tx.execute(_MOVE, named | {"stop_price": from_atto(price_atto)})


def tighten(tx: Connection, signal: Signal, tick_atto: int) -> bool:
    """Move the stops of a strategy's entries toward the market; a stop never loosens.

    Returns whether there was one to move.
    """
    has_moved = False
    for each in load(tx, signal.account, signal.instrument):
        is_long = each.spec.side not in SELLS
        is_meant = signal.direction in (DIRECTIONS[is_long], signal_pb2.DIRECTION_NONE)
        if each.entry.strategy_id != signal.strategy_id or not is_meant:
            continue
        at_atto = sizing.stop_on_tick(attos(signal.stop_price), tick_atto, is_long=is_long)
        moved_atto = at_atto - each.stop_price_atto
        if each.stop_price_atto and (moved_atto if is_long else -moved_atto) > 0:
            move_stop(tx, each.entry.key, at_atto)
            has_moved = True
    return has_moved


def entry_of(client_order_id: str) -> str:
    """Return the entry that a protective order belongs to; "" for any other order."""
    entry, _, name = client_order_id.rpartition("/")
    return entry if name in NAMES else ""


def next_number(legs: Sequence[Leg]) -> int:
    """Return the number of the next leg that is neither the first stop nor the target."""
    return FIRST_NUMBER + sum(leg.role in (Role.EDGE, Role.MARKET) for leg in legs)


def _protected(tx: Connection, account: str, name: str, stop_price: str) -> Protected:
    found = {s.client_order_id: s for s in store.load_many(tx, _names(name))}
    mine = {n: s for n, s in found.items() if s.account == account}
    entry = mine.pop(name)
    made = sorted(mine.values(), key=lambda stored: stored.number)
    spec = OrderSpec.FromString(entry.spec)
    return Protected(entry, spec, to_atto(stop_price), [_leg(stored) for stored in made])


def _names(entry: str) -> list[str]:
    return [entry, *(f"{entry}/{name}" for name in NAMES)]


def _leg(stored: Stored) -> Leg:
    spec = OrderSpec.FromString(stored.spec)
    name = stored.client_order_id.rpartition("/")[2]
    if name in ROLES:
        role = ROLES[name]
    else:
        is_stop = spec.type == order_pb2.ORDER_TYPE_STOP
        role = Role.EDGE if is_stop else Role.MARKET
    return Leg(stored.key, role, stored.order, attos(spec.stop_price))


ROLES = {"sl": Role.STOP, "tp": Role.TARGET}
