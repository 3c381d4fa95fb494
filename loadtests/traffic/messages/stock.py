"""Things that a message uses up, made ahead: a cancel needs an order that still rests."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Generic, TypeVar

READY, MAKERS = 32, 8
T = TypeVar("T")


class Stock(Generic[T]):
    """A few things ready to be taken, made by `make` out of numbers from 0 on."""

    def __init__(self, make: Callable[[int], Awaitable[T]]) -> None:
        self._make = make
        self._numbers = count()
        self._ready: asyncio.Queue[T] = asyncio.Queue()
        self._making = 0
        self._is_wanted = asyncio.Event()
        self._makers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin to make things, and return when the first is there."""
        self._look()
        self._makers = [asyncio.create_task(self._keep_making()) for _ in range(MAKERS)]
        self.put(await self.take())

    async def close(self) -> None:
        """Make no more."""
        for maker in self._makers:
            maker.cancel()
        await asyncio.gather(*self._makers, return_exceptions=True)

    async def take(self) -> T:
        """Return one that nobody else has; raises what keeps the next from being made."""
        taking = asyncio.ensure_future(self._ready.get())
        await asyncio.wait([taking, *self._makers], return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            taking.cancel()
            for maker in self._makers:
                if maker.done():
                    maker.result()
        self._look()
        return await taking

    def put(self, thing: T) -> None:
        """Give one back that can be used again."""
        self._ready.put_nowait(thing)
        self._look()

    async def _keep_making(self) -> None:
        while True:
            await self._is_wanted.wait()
            self._making += 1
            self._look()
            thing = await self._make(next(self._numbers))
            self._making -= 1
            self.put(thing)

    def _look(self) -> None:
        if self._ready.qsize() + self._making < READY:
            self._is_wanted.set()
        else:
            self._is_wanted.clear()
