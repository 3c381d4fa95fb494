"""Sends each unit when it is due, whatever became of those before: the open loop."""

import asyncio
from array import array

import numpy as np
from numpy.typing import NDArray

from runtime.load.arrivals import Schedule
from runtime.load.traffic import Traffic

GRAIN_S = 0.001  # Units due within this time of each other may be sent together.

Floats = NDArray[np.float64]


class Sender:
    """Sends units of `traffic`, at most `in_flight_max` at once; notes when each was sent.

    A unit that would exceed the bound is dropped, for a generator that kept it would send it at
    a time of the server's choosing.
    """

    def __init__(self, traffic: Traffic, in_flight_max: int) -> None:
        self._traffic, self._in_flight_max = traffic, in_flight_max
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._broke: asyncio.Future[None] = self._loop.create_future()
        self._intended_s, self._sent_s, self._dropped_s = array("d"), array("d"), array("d")

    @property
    def in_flight(self) -> int:
        """Return how many units occupy a caller."""
        return len(self._tasks)

    @property
    def sent(self) -> int:
        """Return how many units were sent so far."""
        return len(self._sent_s)

    @property
    def dropped(self) -> int:
        """Return how many units were dropped so far."""
        return len(self._dropped_s)

    @property
    def dropped_s(self) -> Floats:
        """Return the intended instants of what was dropped."""
        return np.array(self._dropped_s, float)

    @property
    def times_s(self) -> tuple[Floats, Floats]:
        """Return the intended and the real instants of what was sent."""
        return np.array(self._intended_s, float), np.array(self._sent_s, float)

    async def run(self, schedule: Schedule, began_s: float) -> None:
        """Send the whole schedule. Raises what a unit raises: traffic tells failures its meter."""
        sending = asyncio.ensure_future(self._send_all(schedule, began_s))
        try:
            await asyncio.wait((sending, self._broke), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
        self.check()
        await sending

    async def settle(self, patience_s: float) -> int:
        """Wait at most so long for what is in flight, then leave it; return how much that is."""
        left: set[asyncio.Task[None]] = set()
        if self._tasks:
            _, left = await asyncio.wait(set(self._tasks), timeout=patience_s)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        self.check()
        return len(left)

    def check(self) -> None:
        """Raise what a unit has raised."""
        if self._broke.done():
            self._broke.result()

    async def _send_all(self, schedule: Schedule, began_s: float) -> None:
        due_s = (schedule.due_s + began_s).tolist()
        numbers = schedule.numbers.tolist()
        now_s, place, end = self._loop.time, 0, len(due_s)
        while place < end:
            ahead_s = due_s[place] - now_s()
            if ahead_s > 0:
                await asyncio.sleep(max(ahead_s, GRAIN_S))
            until_s = now_s()
            while place < end and due_s[place] <= until_s:
                self._send(numbers[place], due_s[place])
                place += 1
            await asyncio.sleep(0)  # What is due now is sent before what has come due meanwhile.

    def _send(self, number: int, intended_s: float) -> None:
        if len(self._tasks) >= self._in_flight_max:
            self._dropped_s.append(intended_s)
            return
        task = self._loop.create_task(self._unit(number, intended_s))
        self._tasks.add(task)
        task.add_done_callback(self._end)

    async def _unit(self, number: int, intended_s: float) -> None:
        self._intended_s.append(intended_s)
        self._sent_s.append(self._loop.time())
        await self._traffic.send(number, intended_s)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or self._broke.done():
            return
        error = task.exception()
        if error is not None:
            self._broke.set_exception(error)
