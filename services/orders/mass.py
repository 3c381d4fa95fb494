"""Cancels every live order of a scope: asked for in few commits, sent at once (K8)."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from services.orders import store
from services.orders.cancels import UNDER_WAY, Cancels, ask
from services.orders.desk import Desk
from services.orders.states import Place
from services.orders.store import Key, Stored
from services.orders.unit import Unit

ORDERS_PER_COMMIT = 256


class Scope(NamedTuple):
    """Which orders: those to which every stated field applies."""

    account: str = ""
    strategy_id: str = ""
    instrument: str = ""

    def covers(self, stored: Stored) -> bool:
        """Whether an order is in the scope."""
        has = (stored.account, stored.strategy_id, stored.instrument)
        return all(want in {"", is_} for want, is_ in zip(self, has, strict=True))


class MassCancels:
    """Asks for many cancels together."""

    def __init__(self, desk: Desk, cancels: Cancels) -> None:
        self._desk = desk
        self._cancels = cancels

    async def cancel(self, scope: Scope) -> list[Stored]:
        """Ask for the cancel of every live order in `scope`; returns them as they stand then.

        Each cancel is on its way, remembered or done when this returns. Orders whose cancel was
        under way before are left alone.
        """
        live = await self._desk.environment.database.read(store.load_live)
        wanted = iter([stored.key for stored in live if scope.covers(stored)])
        asked: list[Stored] = []
        while keys := list(islice(wanted, ORDERS_PER_COMMIT)):
            found = await self._ask(keys)
            for stored in found:
                if stored.order.place is Place.PENDING_CANCEL:
                    self._cancels.send(stored.key, stored)
            asked += found
        return asked

    async def _ask(self, keys: Sequence[Key]) -> list[Stored]:
        def work(unit: Unit) -> list[Stored]:
            unit.prefetch(keys)
            return [after for key in keys if (after := _asked(unit, key))]

        return await self._desk.recorder.write(work)


def _asked(unit: Unit, key: Key) -> Stored | None:
    """Ask for the cancel of one order; None when there is nothing to ask for."""
    stored = unit.order(key)
    assert stored is not None, "orders are never removed"
    order = stored.order
    if order.is_terminal or order.place in UNDER_WAY or order.is_cancel_wanted:
        return None
    return ask(unit, key)
