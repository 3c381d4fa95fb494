"""Sends each unit when it is due, whatever became of those before: the open loop."""

import asyncio
from array import array
from bisect import bisect_right
from collections.abc import Callable, Coroutine, Sequence

import numpy as np
from numpy.typing import NDArray

from runtime.load.arrivals import Schedule
from runtime.load.traffic import Gathering, Traffic, Unit

GRAIN_S = 0.001  # Units due within this time of each other may be sent together.
# So long traffic that sends units together waits for more: the first of them is not late yet,
# and what waiting adds to a latency, which counts from the instant, is nothing beside its limit.
GATHERED_S = 0.002
TOGETHER_MAX = 500  # Of one call, as many as the contract of candles takes.

Floats = NDArray[np.float64]
Work = Coroutine[None, None, None]


class Sender:
    """Sends units of `traffic`, at most `in_flight_max` at once; notes when each was sent.

    A unit that would exceed the bound is dropped, for a generator that kept it would send it at
    a time of the server's choosing.
    """

    def __init__(self, traffic: Traffic, in_flight_max: int) -> None:
        self._traffic, self._in_flight_max = traffic, in_flight_max
        self._loop = asyncio.get_running_loop()
        self._together = traffic.send_together if isinstance(traffic, Gathering) else None
        self._grain_s = GATHERED_S if self._together else GRAIN_S
        self._tasks: dict[asyncio.Task[None], int] = {}  # And how many units are in each.
        self._in_flight = 0
        self._broke: asyncio.Future[None] = self._loop.create_future()
        self._intended_s, self._sent_s, self._dropped_s = array("d"), array("d"), array("d")

    @property
    def in_flight(self) -> int:
        """Return how many units occupy a caller."""
        return self._in_flight

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
        unresolved = sum(self._tasks[task] for task in left)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self.check()
        return unresolved

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
                await asyncio.sleep(max(ahead_s, self._grain_s))
            until_s = now_s()
            due = bisect_right(due_s, until_s, place)
            for first in range(place, due, TOGETHER_MAX):
                some = slice(first, min(due, first + TOGETHER_MAX))
                self._send([*map(Unit, numbers[some], due_s[some])])
            place = due
            await asyncio.sleep(0)  # What is due now is sent before what has come due meanwhile.

    def _send(self, units: list[Unit]) -> None:
        room = self._in_flight_max - self._in_flight
        self._dropped_s.extend(unit.intended_s for unit in units[room:])
        units = units[:room]
        if self._together is None:
            for unit in units:
                self._begin(self._alone(unit), 1)
        elif units:
            self._begin(self._gathered(units, self._together), len(units))

    def _begin(self, work: Work, count: int) -> None:
        task = self._loop.create_task(work)
        self._tasks[task] = count
        self._in_flight += count
        task.add_done_callback(self._end)

    async def _alone(self, unit: Unit) -> None:
        self._note(unit, self._loop.time())
        await self._traffic.send(*unit)

    async def _gathered(self, units: list[Unit], send: Callable[[Sequence[Unit]], Work]) -> None:
        sent_s = self._loop.time()
        for unit in units:
            self._note(unit, sent_s)
        await send(units)

    def _note(self, unit: Unit, sent_s: float) -> None:
        self._intended_s.append(unit.intended_s)
        self._sent_s.append(sent_s)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._in_flight -= self._tasks.pop(task)
        if task.cancelled() or self._broke.done():
            return
        error = task.exception()
        if error is not None:
            self._broke.set_exception(error)
