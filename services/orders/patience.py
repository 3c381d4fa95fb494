"""What must be recorded, or read, though the store is away just now."""

import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runtime.stores import StoreError
from services.orders.pauses import pause
from services.orders.store import Key

T = TypeVar("T")
log = logging.getLogger(__name__)


async def patiently(work: Callable[[], Awaitable[T]], key: Key, rng: random.Random) -> T:
    """Return what `work` on an order returns; it is done again until the store takes it."""
    for attempt in itertools.count():
        try:
            return await work()
        except StoreError as error:
            log.warning("order %s waits for the store: %s", key, error)
        await pause(attempt, rng)
    raise AssertionError("unreachable: the count has no end")
