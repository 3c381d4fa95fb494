"""Times repeated calls: the best of many short rounds, because other processes only ever add."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runtime.virtual import VirtualLoop

ROUNDS = 40
ROUNDS_AT_ONCE = 7

T = TypeVar("T")
Work = Callable[[], Awaitable[object]]


async def seconds_per_call(work: Work, calls: int) -> float:
    """Return the seconds that one of `calls` takes, one after the other."""
    await work()
    best_s = float("inf")
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        for _ in range(calls):
            await work()
        best_s = min(best_s, time.perf_counter() - began_s)
    return best_s / calls


async def calls_per_second(*works: Work, calls: int, at_once: int) -> list[float]:
    """Return how many calls of each kind end per second, `at_once` of them always in flight.

    The kinds take turns, round by round, so that what else the machine does meets them all.
    """

    async def lane(work: Work) -> None:
        for _ in range(calls // at_once):
            await work()

    best_s = [float("inf")] * len(works)
    for _ in range(ROUNDS_AT_ONCE):
        for kind, work in enumerate(works):
            began_s = time.perf_counter()
            await asyncio.gather(*(lane(work) for _ in range(at_once)))
            best_s[kind] = min(best_s[kind], time.perf_counter() - began_s)
    return [calls / took_s for took_s in best_s]


def in_virtual_time(work: Callable[[], Awaitable[T]]) -> T:
    """Run `work` on a virtual loop."""

    async def main() -> T:
        return await work()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def in_real_time(work: Callable[[], Awaitable[T]]) -> T:
    """Run `work` on an ordinary loop."""

    async def main() -> T:
        return await work()

    return asyncio.run(main())
