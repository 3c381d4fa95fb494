"""One run of a plan: what is offered, what it costs the generator, and what came of it."""

import asyncio
import resource
import sys
from dataclasses import replace

import numpy as np

from runtime.errors import ServiceError
from runtime.load import reckoning
from runtime.load.arrivals import Schedule
from runtime.load.histogram import Latencies
from runtime.load.measured import Measured
from runtime.load.meter import Floats, Notes
from runtime.load.plan import BACKLOG_S, LATE_S, Plan
from runtime.load.sender import Sender
from runtime.load.traffic import Remainder, Traffic

AHEAD_S = 0.05  # Between the decision to begin and the first unit.
ENDING_S = 90.0  # How long traffic may take to compare and to end its streams, beyond BACKLOG_S.


class Run:
    """Offers a schedule of `traffic`, then reckons. Its times are those of the running loop."""

    def __init__(self, plan: Plan, traffic: Traffic, notes: Notes) -> None:
        self._plan, self._traffic, self._notes = plan, traffic, notes
        self._loop = asyncio.get_running_loop()
        self.sender = Sender(traffic, plan.in_flight_max)
        self._schedule_s: Floats = np.empty(0)
        self._cpu_s = self._ended_cpu_s = 0.0
        self.begin_s = self._ended_s = float("inf")  # Of the measured time.
        self._is_complete = False

    def scheduled(self, now_s: float) -> int:
        """Return how many units were due until now."""
        return int(np.searchsorted(self._schedule_s, now_s, side="right"))

    async def offer(self, schedule: Schedule) -> None:
        """Send the whole schedule, and wait for the end of the measured time."""
        began_s = self._loop.time() + AHEAD_S
        self._schedule_s = schedule.due_s + began_s
        self.begin_s = began_s + self._plan.warmup_s
        end_s = self.begin_s + self._plan.duration_s
        beginning = self._loop.call_at(self.begin_s, self._begin)
        try:
            await self.sender.run(schedule, began_s)
            await asyncio.sleep(end_s - self._loop.time())
            self._is_complete = True
        finally:
            beginning.cancel()
            self._ended_s, self._ended_cpu_s = self._loop.time(), _cpu_s()

    async def finish(self) -> Measured:
        """Give what is under way its time, then return what was measured."""
        backlog = self.sender.in_flight
        async with asyncio.timeout(BACKLOG_S + ENDING_S):
            unresolved, remainder = await asyncio.gather(
                self.sender.settle(BACKLOG_S), self._remainder()
            )
        remainder = replace(
            remainder,
            backlog=max(backlog, remainder.backlog),
            unresolved=max(unresolved, remainder.unresolved),
        )
        return self._measured(remainder)

    async def _remainder(self) -> Remainder:
        """Return what the traffic says is left; where it cannot tell, something may be."""
        try:
            return await self._traffic.finish()
        except ServiceError as error:
            sys.stderr.write(f"{self._plan.profile.name} cannot tell what is left: {error}\n")
            return Remainder(unresolved=1)

    def _begin(self) -> None:
        self._cpu_s = _cpu_s()
        self._notes.begin()

    def _measured(self, remainder: Remainder) -> Measured:
        plan, begin_s = self._plan, self.begin_s
        intended_s, sent_s = self.sender.times_s
        is_measured = intended_s >= begin_s
        lateness_s = (sent_s - intended_s)[is_measured]
        units = self._notes.units()
        measured = {name: all_of.of(all_of.intended_s >= begin_s) for name, all_of in units.items()}
        reasons = [
            f"{name}: {reason}"
            for name, all_of in units.items()
            if (
                reason := reckoning.unsteadiness(
                    all_of.of(all_of.intended_s < begin_s), measured[name], begin_s
                )
            )
        ]
        return Measured(
            profile=plan.profile.name,
            multiple=plan.profile.multiple(plan.multiple),
            rate=plan.rate,
            parts=1,
            warmup_s=plan.warmup_s,
            duration_s=plan.duration_s,
            seed=plan.seed,
            scheduled=int(np.count_nonzero(self._schedule_s >= begin_s)),
            sent=len(lateness_s),
            late=int(np.count_nonzero(lateness_s > LATE_S)),
            dropped=int(np.count_nonzero(self.sender.dropped_s >= begin_s)),
            lateness=Latencies.of(lateness_s),
            series={
                name: reckoning.series_of(all_of, begin_s, plan.duration_s)
                for name, all_of in measured.items()
            },
            streams={
                name: reckoning.stream_of(all_of) for name, all_of in self._notes.messages().items()
            },
            cpu_share=self._cpu_share(),
            rss_bytes=_rss_bytes(),
            is_steady=not reasons,
            unsteady_reason="; ".join(reasons),
            is_interrupted=not self._is_complete,
            remainder=remainder,
        )

    def _cpu_share(self) -> float:
        measured_s = self._ended_s - self.begin_s
        return (self._ended_cpu_s - self._cpu_s) / measured_s if measured_s > 0 else 0.0


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _rss_bytes() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
