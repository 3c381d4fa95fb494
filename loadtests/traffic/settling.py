"""The end of a run: what is still under way gets its time, and is counted before and after."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runtime.errors import ServiceError
from runtime.load.plan import BACKLOG_S

LOOKED_EVERY_S = 0.02
CONCLUDED_S = 60.0
STILL_S = 5.0
T = TypeVar("T")


def latest_s() -> float:
    """Return until when what is under way now may take, by the loop's clock."""
    return asyncio.get_running_loop().time() + BACKLOG_S


async def settle(left: Callable[[], int], until_s: float | None = None) -> tuple[int, int]:
    """Wait until nothing is `left`, at most `until_s`; return how much was and is left."""
    now_s = asyncio.get_running_loop().time
    backlog, until_s = left(), latest_s() if until_s is None else until_s
    while left() and now_s() < until_s:  # noqa: ASYNC110 - Nobody tells when it has become none.
        await asyncio.sleep(LOOKED_EVERY_S)
    return backlog, left()


async def dwindled(left: Callable[[], int], look: Callable[[], Awaitable[object]]) -> None:
    """Look until nothing is `left`, or a while has made it no less: what comes late is not lost."""
    before = None
    while before is None or 0 < left() < before:
        before = left()
        await look()
        await settle(left, asyncio.get_running_loop().time() + STILL_S)


async def concluded(work: Awaitable[T], within_s: float | None = None) -> T | None:
    """Return what `work` finds when all is over; None if the platform does not say in time."""
    try:
        async with asyncio.timeout(CONCLUDED_S if within_s is None else within_s):
            return await work
    except (ServiceError, TimeoutError):
        return None
