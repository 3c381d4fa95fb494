"""Finding out what became of a commit whose answer was lost, also if the store is away now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from runtime.hosting import Tasks
from runtime.stores.errors import StoreError

EVERY_S = 0.2
log = logging.getLogger(__name__)


async def read_back(catch_up: Callable[[], Awaitable[None]], tasks: Tasks) -> None:
    """Run `catch_up`; when the store cannot be read, again in the background until it can."""
    try:
        await catch_up()
    except StoreError as error:
        log.warning("what became of a commit cannot be read back yet: %s", error)
        tasks.spawn(_until_done(catch_up), name="read back")


async def _until_done(catch_up: Callable[[], Awaitable[None]]) -> None:
    is_done = False
    while not is_done:
        await asyncio.sleep(EVERY_S)
        try:
            await catch_up()
            is_done = True
        except StoreError as error:
            log.info("what became of a commit cannot be read back yet: %s", error)
