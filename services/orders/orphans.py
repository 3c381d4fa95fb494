"""Orders that are kept, and that nobody works on: who made them never learned of the commit."""

import asyncio
from functools import partial

from services.orders.desk import Desk
from services.orders.limits import DEADLINE_S, Limit
from services.orders.patience import patiently
from services.orders.states import PENDING_NEW
from services.orders.store import Key, Stored
from services.orders.submission import Submissions


class Orphans:
    """Goes on with orders whose commit was in doubt, once it is known to have happened."""

    def __init__(self, desk: Desk, submissions: Submissions) -> None:
        self._desk = desk
        self._submissions = submissions

    def take_in(self, key: Key) -> None:
        """Go on with an order after the time of whoever made it, who may find it, too."""
        self._desk.environment.tasks.spawn(self._take_in(key), name=f"orphan {key[1]}")

    async def _take_in(self, key: Key) -> None:
        with self._desk.environment.progress.working("orphan"):
            await asyncio.sleep(DEADLINE_S)
            reload = partial(self._submissions.reloaded, key)
            stored = await patiently(reload, key, self._desk.environment.rng)
            if stored.order.place in PENDING_NEW:
                self._submissions.drive(stored, own_limit(stored))


def own_limit(stored: Stored) -> Limit:
    """Return what is left to an order whose caller is gone: its own time, or a call's whole."""
    return Limit(stored.deadline_ns) if stored.deadline_ns else Limit.within(DEADLINE_S)
