"""`plimsoll load-compare`: a commit and what is here, loaded in turn on one machine, as ratios.

Both platforms are loaded by the generator that is here, so that only what is measured differs.
"""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from fixtures.commit import ROOT, current_commit
from fixtures.places import Place
from plimsoll.failures import WrongUse
from plimsoll.locusts import Offer, run_locust
from plimsoll.whereabouts import CONF
from runtime.load.comparison import Baseline, compare
from runtime.load.report.result import Result
from runtime.load.report.writing import JSON, read
from runtime.load.verdict import WRONG_USE

BASELINE = ROOT / "loadtests" / "baseline.json"
READY = "Ctrl-C"  # How the line begins that says that a platform is up.
STARTS_WITHIN_S, ENDS_WITHIN_S = 180.0, 60.0


@dataclass(frozen=True)
class Comparing:
    """What is compared, and how."""

    commit: str
    place: Place
    offer: Offer
    rounds: int = 3
    is_baseline_written: bool = False


def run_load_compare(asked: Comparing) -> int:
    """Load both platforms in turn; return 0, 1 where something regressed, 3 if nobody can tell."""
    results: dict[str, list[Result]] = {"before": [], "now": []}
    with tempfile.TemporaryDirectory(prefix="plimsoll-") as scratch, tree_of(asked.commit) as tree:
        trees = {"before": tree, "now": ROOT}
        for number, side in enumerate(turns(asked.rounds), 1):
            sys.stderr.write(f"turn {number} of {2 * asked.rounds}: {side}, {trees[side]}\n")
            folder = Path(scratch) / f"{number}-{side}"
            results[side].append(asyncio.run(_measured(asked, trees[side], folder)))
    before, now = (Baseline.of(results[side]) for side in ("before", "now"))
    console = Console(soft_wrap=True, highlight=False, markup=False)
    if asked.is_baseline_written:
        kept = Baseline(now.readings, {"commit": current_commit(), "place": asked.place.options})
        BASELINE.write_text(json.dumps(kept.to_object(), indent=1) + "\n", encoding="utf-8")
    elif BASELINE.exists():
        kept = Baseline.from_object(json.loads(BASELINE.read_text(encoding="utf-8")))
        console.print(f"against {BASELINE.name} of {kept.facts['commit']}, for orientation only:")
        *figures, _ = compare(kept, now).lines()
        console.print("\n".join(figures))
    comparison = compare(before, now)
    console.print(f"against {asked.commit}, measured in turn:")
    console.print("\n".join(comparison.lines()))
    return comparison.outcome.exit_code


def turns(rounds: int) -> Iterator[str]:
    """Yield whose turn it is: neither side always comes first, should the machine tire."""
    for number in range(rounds):
        yield from ("before", "now") if number % 2 == 0 else ("now", "before")


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """Yield a folder with the files of `commit`. Raises WrongUse where there is none."""
    packed = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=False
    )
    if packed.returncode:
        raise WrongUse(f"commit is {commit!r}, must be one: {packed.stderr.decode().strip()}")
    with tempfile.TemporaryDirectory(prefix="plimsoll-") as folder:
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
            files.extractall(folder, filter="data")
        if not (Path(folder) / "plimsoll" / "whereabouts.py").exists():
            raise WrongUse(f"commit is {commit!r}, must be one that can be loaded: a later one")
        yield Path(folder)


async def _measured(asked: Comparing, tree: Path, folder: Path) -> Result:
    async with _up(asked.place, tree, folder):
        status = await run_locust(folder / CONF, asked.offer, folder, output=sys.stderr.fileno())
    if status == WRONG_USE:
        raise WrongUse("Locust was used wrongly: see above")
    path = folder / JSON
    return read(path) if path.exists() else Result(())


@asynccontextmanager
async def _up(place: Place, tree: Path, folder: Path) -> AsyncIterator[None]:
    """Keep the platform of a tree running for the length of the block."""
    words = ["up", *place.options.split(), "--directory", str(folder)]
    paths = os.pathsep.join(map(str, (tree, tree / "contracts" / "python")))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "plimsoll", *words),
        cwd=tree,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            await _is_up(process.stdout, tree)
        yield
    finally:
        await _ended(process)


async def _is_up(said: asyncio.StreamReader, tree: Path) -> None:
    async for line in said:
        if line.decode().startswith(READY):
            return
    raise WrongUse(f"the platform of {tree} does not start: see above")


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
