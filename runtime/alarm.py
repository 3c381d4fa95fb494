"""Waits for an instant of a clock, or for somebody to say that there is news before it."""

import asyncio

from runtime.clock import Clock


class Alarm:
    """Sleeps until an instant that may be moved: whoever moves it pokes, the sleeper looks again.

    With no instant to wait for there is no timer at all.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """Wake the sleeper, or keep the next one from sleeping."""
        self._poked.set()

    async def wait(self, until_ns: int | None) -> None:
        """Return at `until_ns`, None for never, or when poked since the last return."""
        if until_ns is None:
            await self._poked.wait()
        elif not self._poked.is_set():
            await self._first(until_ns)
        self._poked.clear()

    async def _first(self, until_ns: int) -> None:
        loop = asyncio.get_running_loop()
        waits = (
            loop.create_task(self._clock.sleep_until(until_ns), name="alarm"),
            loop.create_task(self._poked.wait(), name="alarm's poke"),
        )
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.wait(waits)
