"""Where seeds are simulated: in processes of this machine, or on workers of a Dask scheduler."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from plimsoll.failures import WrongUse
from plimsoll.simulating.seed_run import SeedRun
from runtime.parent import belong_to_parent

Work = Callable[[int], SeedRun]
Engine = Callable[[Work, Iterable[int]], Iterator[SeedRun]]  # In the order of the seeds.

DASK = "dask://"


def engine_of(address: str, jobs: int) -> Engine:
    """Return the engine at an address, or `jobs` processes for ""; raises WrongUse."""
    if not address:
        return in_processes(jobs) if jobs > 1 else map
    if not address.startswith(DASK):
        raise WrongUse(f"--engine is {address!r}, must be {DASK}HOST:PORT")
    from plimsoll.simulating.on_dask import on_dask  # An extra, imported only when asked for.

    return on_dask(address.removeprefix(DASK))


def in_processes(jobs: int) -> Engine:
    """Return an engine of so many fresh interpreters: nothing of this one leaks into a seed."""

    def run(work: Work, seeds: Iterable[int]) -> Iterator[SeedRun]:
        pool = ProcessPoolExecutor(jobs, mp_context=_spawned(), initializer=belong_to_parent)
        yield from _pooled(pool, work, seeds)

    return run


def one_process_each(jobs: int) -> Engine:
    """Return an engine that runs each seed in an interpreter of its own, `jobs` at a time.

    Each has another order of its sets, so what depends on that differs.
    """

    def run(work: Work, seeds: Iterable[int]) -> Iterator[SeedRun]:
        pool = ProcessPoolExecutor(
            jobs, mp_context=_spawned(), initializer=belong_to_parent, max_tasks_per_child=1
        )
        with _random_hashes():
            yield from _pooled(pool, work, seeds)

    return run


def _spawned() -> multiprocessing.context.SpawnContext:
    return multiprocessing.get_context("spawn")


def _pooled(pool: ProcessPoolExecutor, work: Work, seeds: Iterable[int]) -> Iterator[SeedRun]:
    with pool:
        try:
            yield from pool.map(work, seeds)
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _random_hashes() -> Iterator[None]:
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = "random"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before
