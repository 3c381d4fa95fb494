"""`plimsoll simulate`: many seeds in virtual time; the first failure ends it, and is shrunk."""

import json
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fixtures.outcome import Outcome, Verdict
from plimsoll import console
from plimsoll.failures import INTERRUPTED, STATUS, WrongUse
from plimsoll.simulating.engines import engine_of, one_process_each
from plimsoll.simulating.replays import differing, hashes_of
from plimsoll.simulating.seed_run import SeedRun, Simulated
from plimsoll.simulating.shrinking import least
from plimsoll.simulating.summary import Tally, print_summary

REPLAYS_MIN = 2


@dataclass(frozen=True)
class Where:
    """What runs the seeds: so many processes of this machine, or the workers of a scheduler."""

    jobs: int = 1
    engine: str = ""  # "dask://HOST:PORT"; "" for this machine.


def run_simulation(
    simulated: Simulated, seeds: str, where: Where, coverage: Path | None, *, as_json: bool
) -> int:
    """Run an experiment once per seed; return the exit status of the worst verdict.

    All that was covered is written to the file `coverage`, if one is given. Who interrupts it is
    told what came of the seeds until then.
    """
    simulated.plan(0)  # A wrong name ends here, not in a worker.
    chosen = parse_seeds(seeds)
    if coverage:
        _check_writable(coverage)  # Now, not when hours of seeds are over.
    run = engine_of(where.engine, where.jobs)
    began_s, tally = time.perf_counter(), Tally()
    failed = _tallied(simulated.experiment, run(simulated, chosen), len(chosen), tally)
    seconds = time.perf_counter() - began_s
    is_interrupted = tally.pace.seeds < len(chosen) and not failed
    if failed and not as_json:
        sys.stderr.write(f"seed {failed.seed} failed: shrinking its faults and traffic ...\n")
    shown = least(simulated.plan(failed.seed), failed) if failed else None
    if as_json:
        console.print_json(
            {
                "verdict": str(tally.verdict),
                "experiment": simulated.experiment,
                "seeds": seeds,
                "is_interrupted": is_interrupted,
                **tally.as_object(seconds),
                "failed": console.as_json(failed) if failed else None,
                "replay": shown.replay if shown else None,
            }
        )
    else:
        if shown:
            console.print_outcome(shown)
        print_summary(simulated.experiment, tally, seconds)
    if coverage:
        _write(coverage, tally)  # Last: a disk that is full by now takes nothing of the above.
    return INTERRUPTED if is_interrupted else STATUS[tally.verdict]


def run_replays(simulated: Simulated, seeds: str, jobs: int, replays: int, *, as_json: bool) -> int:
    """Run each seed `replays` times, each time in a fresh process; return the exit status.

    It is that of a failure where two runs of a seed left different histories. Who interrupts it is
    told what came of the runs until then.
    """
    if replays < REPLAYS_MIN:
        raise WrongUse(
            f"--replays is {replays}, must be {REPLAYS_MIN} or more: one history has nothing to be "
            "compared with"
        )
    simulated.plan(0)
    chosen = parse_seeds(seeds)
    tasks = [seed for seed in chosen for _ in range(replays)]
    runs: list[SeedRun] = []
    with console.live_progress() as observe, suppress(KeyboardInterrupt):
        for done, run in enumerate(one_process_each(jobs)(simulated, tasks), 1):
            runs.append(run)
            observe(f"replaying {simulated.experiment}", done, len(tasks))
    different = differing(hashes_of(runs))
    is_interrupted = len(runs) < len(tasks)
    verdict = Verdict.VOID if is_interrupted else Verdict.PASSED  # Some were not compared.
    verdict = Verdict.FAILED if different else verdict
    status = INTERRUPTED if verdict is Verdict.VOID else STATUS[verdict]
    name = simulated.experiment
    if as_json:
        found = {"experiment": name, "seeds": seeds, "replays": replays, "differing": different}
        told = {"verdict": str(verdict), "is_interrupted": is_interrupted, "runs": len(runs)}
        console.print_json({**told, **found})
        return status
    if is_interrupted:
        sys.stdout.write(f"interrupted after {len(runs)} of {len(tasks)} runs\n")
    for seed, counts in different.items():
        sys.stdout.write(f"seed {seed} left {len(counts)} histories: {counts}\n")
    sys.stdout.write(
        f"{name}: {len(chosen)} seeds, {replays} runs each in a fresh process, "
        f"{len(different)} seeds with different histories: {verdict.upper()}\n"
    )
    return status


def _tallied(name: str, runs: Iterable[SeedRun], total: int, tally: Tally) -> Outcome | None:
    """Add up runs to the first that failed, or until interrupted; return the outcome of that."""
    with console.live_progress() as observe, suppress(KeyboardInterrupt):
        for done, run in enumerate(runs, 1):
            tally.add(run)
            observe(f"simulating {name}", done, total)
            if run.outcome.verdict is Verdict.FAILED:
                return run.outcome
    return None


def _check_writable(path: Path) -> None:
    with _refused(path), path.open("a", encoding="utf-8"):
        pass  # What is in it stays until something takes its place.


def _write(path: Path, tally: Tally) -> None:
    with _refused(path):
        path.write_text(json.dumps(tally.whole_coverage(), indent=1) + "\n", encoding="utf-8")


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WrongUse(f"--coverage {path} cannot be written: {error.strerror}") from error


def parse_seeds(text: str) -> range:
    """Return the seeds of `A..B`, both included; raises WrongUse for anything else."""
    match = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if not match or int(match[1]) > int(match[2]):
        raise WrongUse(f"--seeds is {text!r}, must be FIRST..LAST as in 1..20")
    return range(int(match[1]), int(match[2]) + 1)
