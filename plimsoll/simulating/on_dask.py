"""Seeds on the workers of a Dask scheduler, of as many machines as it has."""

from collections.abc import Iterable, Iterator
from typing import Any

from fixtures.commit import current_commit
from plimsoll.failures import WrongUse
from plimsoll.simulating.engines import Engine, Work
from plimsoll.simulating.seed_run import SeedRun

CONNECTS_WITHIN_S = 5
RUNNING = "running"  # Of a client: its scheduler can be reached.


def on_dask(address: str) -> Engine:
    """Return the engine of the scheduler at HOST:PORT.

    It raises WrongUse where Dask is not installed, nobody answers there, or its workers cannot
    take part: they need one thread each, and this very commit.
    """

    def run(work: Work, seeds: Iterable[int]) -> Iterator[SeedRun]:
        with _client(address) as client:
            _check_workers(client, address)
            chosen = list(seeds)
            futures = client.map(work, chosen, pure=False)
            try:
                yield from map(_result, futures, chosen)
            finally:
                if client.status == RUNNING:
                    client.cancel(futures)

    return run


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise WrongUse(f"--engine needs Dask: pip install 'plimsoll[dask]' ({error})") from error
    try:
        return Client(f"tcp://{address}", timeout=CONNECTS_WITHIN_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise WrongUse(f"--engine: no Dask scheduler answers at {address}: {error}") from error


def _check_workers(client: Any, address: str) -> None:
    workers = client.scheduler_info(n_workers=-1)["workers"]
    threads = {name: worker["nthreads"] for name, worker in workers.items()}
    start = f"dask worker {address} --nworkers N --nthreads 1"
    if not threads:
        raise WrongUse(f"--engine: the scheduler at {address} has no workers, start some: {start}")
    if several := [name for name, count in threads.items() if count != 1]:
        raise WrongUse(f"--engine: workers {several} have several threads, start them by: {start}")


def _result(future: Any, seed: int) -> SeedRun:
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        found: SeedRun = future.result()
    except ImportError as error:
        raise WrongUse(f"--engine: a worker has no Plimsoll, install it there: {error}") from error
    except KilledWorker as error:
        raise WrongUse(
            f"--engine: every worker that ran seed {seed} was killed, the last at "
            f"{error.last_worker.address}: look there for memory and signals, or run the seed "
            "without --engine"
        ) from error
    except FutureCancelledError as error:
        raise WrongUse(
            f"--engine: the scheduler is gone, seed {seed} was not heard of: start it again, and "
            f"go on from that seed ({error})"
        ) from error
    if found.outcome.commit != current_commit():
        raise WrongUse(
            f"--engine: worker {found.worker} runs commit {found.outcome.commit}, must be "
            f"{current_commit()}: install this one there"
        )
    return found
