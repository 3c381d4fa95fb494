"""Workers of a Dask scheduler simulate what processes of this machine do."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import dask
import pytest
from distributed import LocalCluster

from plimsoll.failures import WrongUse
from plimsoll.simulating.engines import engine_of
from plimsoll.simulating.seed_run import SeedRun, Simulated

SWARM = Simulated("everything_at_once", "dual-compute-state")
SEEDS = (1, 3, 4)
pytestmark = pytest.mark.real_time


def address_of(cluster: LocalCluster) -> str:
    return str(cluster.scheduler_address).replace("tcp://", "dask://")


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """Return a scheduler of this machine with two processes as its workers."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


def test_workers_of_a_scheduler_come_to_what_this_process_does(cluster: LocalCluster) -> None:
    def comparable(run: SeedRun) -> SeedRun:
        return replace(run, busy_s=0.0, worker="")

    runs = list(engine_of(address_of(cluster), jobs=1)(SWARM, SEEDS))
    assert [comparable(run) for run in runs] == [comparable(SWARM(seed)) for seed in SEEDS]
    assert SWARM(SEEDS[0]).worker not in {run.worker for run in runs}


@pytest.mark.parametrize(
    ("workers", "threads", "message"),
    [(0, 1, "has no workers, start some"), (1, 2, "have several threads")],
    ids=["none", "threads"],
)
def test_workers_that_cannot_take_part_are_refused(
    workers: int, threads: int, message: str
) -> None:
    few = LocalCluster(n_workers=workers, threads_per_worker=threads, dashboard_address=None)
    with few as cluster, pytest.raises(WrongUse, match=message):
        list(engine_of(address_of(cluster), jobs=1)(SWARM, SEEDS))


def die(seed: int) -> SeedRun:
    """End the process, as a machine does that has no memory left."""
    os._exit(9)


def test_a_seed_that_kills_its_workers_is_named() -> None:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        pytest.raises(WrongUse, match="every worker that ran seed 7 was killed, the last at tcp:"),
    ):
        list(engine_of(address_of(cluster), jobs=1)(die, (7,)))


def test_a_scheduler_that_goes_away_is_said(cluster: LocalCluster) -> None:
    runs = engine_of(address_of(cluster), jobs=1)(SWARM, range(1, 1_000))
    next(iter(runs))
    cluster.close()
    with pytest.raises(WrongUse, match=r"the scheduler is gone, seed \d+ was not heard of"):
        list(runs)


def test_where_no_scheduler_answers_is_said() -> None:
    with pytest.raises(WrongUse, match=r"no Dask scheduler answers at 127\.0\.0\.1:1"):
        list(engine_of("dask://127.0.0.1:1", jobs=1)(SWARM, SEEDS))


def test_without_dask_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(WrongUse, match=r"pip install 'plimsoll\[dask\]'"):
        list(engine_of("dask://127.0.0.1:1", jobs=1)(SWARM, SEEDS))
