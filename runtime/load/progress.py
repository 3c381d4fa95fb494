"""What a run tells once a second while it goes on."""

import asyncio
from collections.abc import Callable
from typing import Any

from runtime.load import reckoning
from runtime.load.histogram import Latencies
from runtime.load.measured import Second
from runtime.load.meter import Notes
from runtime.load.plan import Plan
from runtime.load.run import Run

Say = Callable[[dict[str, Any]], None]


class Progress:
    """Says each second what was offered and what ended in it.

    The figures beside the second are those of the profile's first gate; `series` has them all,
    each with its histogram, from which whoever reads can make up his own.
    """

    def __init__(self, plan: Plan, notes: Notes, say: Say) -> None:
        self._plan, self._notes, self._say = plan, notes, say
        self._loop = asyncio.get_running_loop()
        self._run: Run | None = None
        self._told: dict[str, int] = {}  # How many units of each series were told.
        self.phase = "prepare"

    def follow(self, run: Run) -> None:
        """Tell of `run` from now on."""
        self._run = run
        self.phase = "warmup"

    async def tick(self) -> None:
        """Say a line each second, without end."""
        second, due_s = 0, self._loop.time()
        while True:
            due_s += 1.0
            await asyncio.sleep(due_s - self._loop.time())
            self._say(self._line(second))
            second += 1

    def _line(self, second: int) -> dict[str, Any]:
        run, now_s = self._run, self._loop.time()
        if run is not None and self.phase == "warmup" and now_s >= run.begin_s:
            self.phase = "measure"
        new = self._notes.units(self._told)
        for name, ended in new.items():
            self._told[name] = self._told.get(name, 0) + len(ended.codes)
        told = {name: _told(reckoning.second_of(second, ended)) for name, ended in new.items()}
        gated = self._plan.profile.gates[0].series if self._plan.profile.gates else ""
        first = told.get(gated) or _told(Second(second, 0, Latencies.of()))
        return {
            "kind": "progress",
            "second": second,
            "phase": self.phase,
            "scheduled": run.scheduled(now_s) if run else 0,
            "sent": run.sender.sent if run else 0,
            "dropped": run.sender.dropped if run else 0,
            "in_flight": run.sender.in_flight if run else 0,
            **{name: value for name, value in first.items() if name != "latencies"},
            "series": told,
        }


def _told(second: Second) -> dict[str, Any]:
    return {
        "ok": second.ended - second.failed,
        "failed": second.failed,
        "p50_ms": second.p50_ms,
        "p99_ms": second.p99_ms,
        "max_ms": second.max_ms,
        "latencies": second.latencies.to_text(),
    }
