"""One test as Locust calls it: profile after profile, each with the engines it takes."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runtime.load.histogram import Latencies
from runtime.load.knee import longer, next_multiple
from runtime.load.measured import Measured
from runtime.load.on_locust.options import Asked
from runtime.load.plan import Plan, Profile
from runtime.load.report.result import Result, Run
from runtime.load.served import Served

Line = dict[str, Any]
ENGINES = "load-engines.jsonl"  # In the report: every engine's last line, with its leg and part.
APART_SHARE_MAX = 0.25  # Of the measured time: so much of it may be without one of its engines.
GRACE_S = 300.0  # Beyond warm-up and measured time: to prepare, to finish, and to tell.


@dataclass(frozen=True)
class Leg:
    """One measurement of one profile."""

    number: int  # From 1, over all profiles.
    profile: Profile
    plans: tuple[Plan, ...]  # What each engine does.
    is_judged: bool = True  # Else it only looks for the knee.


@dataclass
class Tour:
    """What is asked, what is being measured, and what came of it."""

    asked: Asked
    profiles: Sequence[Profile]
    leg: Leg | None = None  # What is being measured now.
    done: list[tuple[Leg, Run]] = field(default_factory=list)
    told: list[Line] = field(default_factory=list)  # Every engine's last line, as it was,
    wrong: str = ""  # and the first that says why nothing can be measured at all.
    notes: dict[str, str] = field(default_factory=dict)  # Why a leg has no figures.
    _lines: dict[int, Line] = field(default_factory=dict)  # Of the leg, by part.
    _latest_s: float = 0.0

    def begin(self, workers: int) -> Leg | None:
        """Begin what comes next, with an engine on each worker or more; None when all is done."""
        self._lines = {}
        self.leg = None if self.wrong else self._next(workers)
        if self.leg is not None:
            plan = self.leg.plans[0]
            self._latest_s = time.monotonic() + plan.warmup_s + plan.duration_s + GRACE_S
        return self.leg

    def hear(self, number: int, part: int, line: Line) -> None:
        """Take the last line of one engine. What comes too late, or again, is not counted.

        Where one has measured nothing the leg is over: the others alone do not make up its load.
        """
        if self.leg is None or number != self.leg.number or part in self._lines:
            return
        self._lines[part] = line
        self.told.append({"leg": number, "part": part, **line})
        if line["kind"] == "wrong":
            self.wrong = self.wrong or line["message"]
        if line["kind"] != "measured" or len(self._lines) == len(self.leg.plans):
            self._end(self.leg)

    def lose(self, reason: str) -> None:
        """Give up on the leg that is being measured, if there is one."""
        if self.leg is not None:
            missing = next(part for part in range(len(self.leg.plans)) if part not in self._lines)
            self.hear(self.leg.number, missing, {"kind": "void", "reason": reason})

    def check_time(self) -> None:
        """Give up on engines that say nothing for much too long."""
        if time.monotonic() > self._latest_s:
            self.lose(f"an engine said nothing for {GRACE_S:g} s after it should have ended")

    def stop(self) -> None:
        """Leave what is not done: the leg under way is void, and so is the next if none was."""
        if self.leg is None and not self.wrong:
            self.begin(1)
        self.lose("stopped before its end")

    def result(self, **facts: str) -> Result:
        """Return all that was measured, to be judged and reported."""
        searched = {leg.profile.name for leg, _ in self.done if not leg.is_judged}
        return Result(
            runs=tuple(run for leg, run in self.done if leg.is_judged),
            curves={
                name: tuple(run.point() for run in self._runs(name)) for name in sorted(searched)
            },
            facts={**facts, **self.notes},
        )

    def _next(self, workers: int) -> Leg | None:
        asked = self.asked
        for profile in self.profiles:
            judged = sum(leg.is_judged for leg, _ in self.done if leg.profile == profile)
            if judged < asked.repeats:
                return self._leg(profile, profile.multiple(asked.multiple), workers)
            if asked.is_knee_wanted and profile.multiple_max is None:
                points = [run.point() for run in self._runs(profile.name)]
                multiple = next_multiple(points)
                if multiple is not None:
                    times = longer(points, multiple)
                    leg = self._leg(profile, multiple, workers, times=times)
                    return replace(leg, is_judged=False)
        return None

    def _leg(self, profile: Profile, multiple: float, workers: int, *, times: int = 1) -> Leg:
        number, parts = len(self.done) + 1, max(workers, profile.engines(multiple))
        plan = self.asked.plan(profile, multiple, self.asked.seed + number - 1)
        plan = replace(plan, warmup_s=plan.warmup_s * times, duration_s=plan.duration_s * times)
        plans = tuple(replace(plan, part=part, parts=parts) for part in range(parts))
        return Leg(number, profile, plans)

    def _runs(self, name: str) -> list[Run]:
        return [run for leg, run in self.done if leg.profile.name == name]

    def _end(self, leg: Leg) -> None:
        self.leg = None
        lines = [self._lines[part] for part in sorted(self._lines)]
        reasons = dict.fromkeys(_reason(line) for line in lines if line["kind"] != "measured")
        reasons |= dict.fromkeys(_not_together(leg, lines))
        if reasons:
            self.notes[f"{leg.profile.name}, leg {leg.number}"] = "; ".join(reasons)
            measured, served = _nothing(leg), None
        else:
            measured = Measured.merged([Measured.from_object(line) for line in lines])
            told = next((line["served"] for line in lines if "served" in line), None)
            served = Served.from_object(told) if told else None
        self.done.append((leg, Run(leg.profile, measured, served)))


def _reason(line: Line) -> str:
    return str(line.get("reason") or line.get("message"))


def _not_together(leg: Leg, lines: Sequence[Line]) -> Iterator[str]:
    """Yield why engines that measured did not offer the whole rate: each did so by itself."""
    begun_s = [line["began_s"] for line in lines if "began_s" in line]
    apart_s = max(begun_s, default=0.0) - min(begun_s, default=0.0)
    most_s = APART_SHARE_MAX * leg.plans[0].duration_s
    if apart_s > most_s:
        yield f"engines began {apart_s:.1f} s apart, must be at most {most_s:.1f} s"


def _nothing(leg: Leg) -> Measured:
    """Return what an interrupted run is that has told nothing."""
    plan, parts = leg.plans[0], len(leg.plans)
    return Measured(
        profile=leg.profile.name,
        multiple=leg.profile.multiple(plan.multiple),
        rate=plan.rate * parts,
        parts=parts,
        warmup_s=plan.warmup_s,
        duration_s=plan.duration_s,
        seed=plan.seed,
        scheduled=0,
        sent=0,
        late=0,
        dropped=0,
        lateness=Latencies.of(),
        series={},
        is_interrupted=True,
    )
