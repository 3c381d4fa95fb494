"""Preparation: many calls, a few at once, each repeated until it is answered."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from grpc import StatusCode

from runtime.errors import ServiceError

ATTEMPTS, PAUSE_S = 50, 0.2  # Ten seconds: starting many strategies at once is a load of its own.
AT_ONCE = 8
PASSING = (
    StatusCode.UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.CANCELLED,  # It waited among too many to be received.
)
T = TypeVar("T")


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Return the answer of a call that may be repeated; raises the error of the last attempt."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await call()
        except ServiceError as error:
            if error.code not in PASSING:
                raise
        await asyncio.sleep(PAUSE_S)
    return await call()


async def few_at_once(work: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Return what each piece of work comes to, in their order; the first error ends all."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(one: Callable[[], Awaitable[T]]) -> T:
        async with turns:
            return await one()

    tasks = [asyncio.ensure_future(in_turn(one)) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
