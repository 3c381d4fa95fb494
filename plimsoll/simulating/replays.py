"""Proves that a seed says all of a run: in every fresh process it leaves the same history."""

from collections import Counter
from collections.abc import Iterable, Mapping

from plimsoll.simulating.seed_run import SeedRun

Hashes = Mapping[int, Counter[str]]  # By seed: how many runs left which history.


def hashes_of(runs: Iterable[SeedRun]) -> Hashes:
    """Return the histories of each seed; one that broke has none, and is told by why it did."""
    found: dict[int, Counter[str]] = {}
    for run in runs:
        outcome = run.outcome
        found.setdefault(outcome.seed, Counter())[outcome.history_sha256 or outcome.reason] += 1
    return found


def differing(hashes: Hashes) -> dict[int, dict[str, int]]:
    """Return the seeds that left several histories, with how many runs left which."""
    return {seed: dict(counts) for seed, counts in sorted(hashes.items()) if len(counts) > 1}
