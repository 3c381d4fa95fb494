"""`plimsoll simulate`: many seeds in virtual time; the first failure ends it, and is shrunk."""

import multiprocessing
import re
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from fixtures.commit import current_commit
from fixtures.faults import Schedule, to_json
from fixtures.faults.shrinking import shrunk
from fixtures.outcome import Outcome, Verdict
from fixtures.places import Place
from fixtures.trial import Plan, quietly
from fixtures.worlds import World
from plimsoll import console
from plimsoll.experiments import find_experiment
from plimsoll.failures import STATUS, WrongUse
from plimsoll.trial import run_once


def run_simulation(name: str, seeds: str, jobs: int, *, as_json: bool) -> int:
    """Run experiment `name` once per seed; return the exit status of the worst verdict."""
    find_experiment(name)  # A wrong name ends here, not in a worker.
    chosen = parse_seeds(seeds)
    started_s = time.perf_counter()
    verdicts: dict[Verdict, int] = dict.fromkeys(Verdict, 0)
    last: Outcome | None = None
    with console.live_progress() as observe:
        for done, last in enumerate(_outcomes(name, chosen, jobs), 1):
            verdicts[last.verdict] += 1
            observe(f"simulating {name}", done, len(chosen))
            if last.verdict is Verdict.FAILED:
                break
    assert last is not None
    least = _least_schedule(name, last) if last.verdict is Verdict.FAILED else None
    command, _, commit = last.replay.partition("  #")
    replay = f"{command} --schedule '{least}'  #{commit}" if least else last.replay
    summary: dict[str, Any] = {
        "verdict": str(_worst(verdicts)),
        "experiment": name,
        "seeds": seeds,
        "runs": {str(verdict): count for verdict, count in verdicts.items()},
        "seconds": round(time.perf_counter() - started_s, 3),
        "replay": replay if last.verdict is Verdict.FAILED else None,
        "schedule": least,
    }
    if as_json:
        console.print_json(summary)
    else:
        if last.verdict is Verdict.FAILED:
            console.print_outcome(replace(last, replay=replay))
        sys.stdout.write(
            f"{name}: {sum(verdicts.values())} seeds, {verdicts[Verdict.PASSED]} passed, "
            f"{summary['seconds']} s\n"
        )
    return STATUS[_worst(verdicts)]


def _worst(verdicts: Mapping[Verdict, int]) -> Verdict:
    """Return what all runs together come to: some prove nothing, by their seed, if one does."""
    if verdicts[Verdict.FAILED]:
        return Verdict.FAILED
    return Verdict.PASSED if verdicts[Verdict.PASSED] else Verdict.VOID


def _least_schedule(name: str, failed: Outcome) -> str | None:
    """Return the least of the faults of a run that makes it fail as JSON; None without faults."""
    experiment, place = find_experiment(name), Place(World.SIMULATED)
    plan = Plan(experiment, place, failed.seed, commit=current_commit())
    schedule = plan.chosen_faults()
    if not schedule:
        return None

    def fails(part: Schedule) -> bool:
        return run_once(replace(plan, schedule=part), quietly).verdict is Verdict.FAILED

    return to_json(shrunk(schedule, fails))


def parse_seeds(text: str) -> range:
    """Return the seeds of `A..B`, both included; raises WrongUse for anything else."""
    match = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if not match or int(match[1]) > int(match[2]):
        raise WrongUse(f"--seeds is {text!r}, must be FIRST..LAST as in 1..20")
    return range(int(match[1]), int(match[2]) + 1)


def _outcomes(name: str, seeds: range, jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from map(partial(simulate_one, name), seeds)
        return
    # A fresh interpreter per worker: nothing of this process may leak into a seed.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        try:
            yield from pool.map(partial(simulate_one, name), seeds)
        finally:
            pool.shutdown(cancel_futures=True)


def simulate_one(name: str, seed: int) -> Outcome:
    """Run one seed of experiment `name` in memory."""
    plan = Plan(find_experiment(name), Place(World.SIMULATED), seed, commit=current_commit())
    return run_once(plan, quietly)
