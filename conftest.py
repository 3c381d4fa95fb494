"""Every async test runs in virtual time, unless it says that it needs the real one."""

import asyncio
import gc
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import settings

from fixtures.alone import Floor
from fixtures.hanging import waiting_tasks
from fixtures.stores.berths import Berths
from fixtures.stores.kinds import StoreKind, servers_of
from fixtures.stores.local import local_mysql, local_redis
from fixtures.stores.servers import MysqlServer, RedisServer
from runtime.virtual import VirtualLoop

if TYPE_CHECKING:  # They take 0.1 s to import.
    from fixtures.devices.contained import ContainedForks
    from fixtures.devices.forks import Forks
    from fixtures.toxiproxy.server import ToxiproxyServer
    from runtime.topology import Topology

S = TypeVar("S")
TESTS_PER_COLLECTION = 10
WORKERS_MAX = 4  # Each has servers of its own.
_finished = count(1)
IS_ALL_REQUIRED = bool(os.environ.get("PLIMSOLL_REQUIRE_ALL"))  # Nothing may be left out.

# The same examples in every run, and no example fails because the machine is busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a user choose the worlds that features run in."""
    parser.addoption(
        "--world",
        action="append",
        choices=("simulated", "embedded", "processes", "containers"),
        help="run features in this world only, on embedded stores (world containers: on local "
        "ones); may be repeated (default: every world)",
    )
    parser.addoption(
        "--topology",
        action="append",
        help="run features on these devices only; may be repeated "
        "(default: all; with --world dual-compute-state)",
    )
    parser.addoption(
        "--stores",
        action="append",
        choices=tuple(StoreKind),
        help="run features in one process on these stores only, or with --world there; may be "
        "repeated (default: all that this machine has)",
    )
    parser.addoption(
        "--runs", help="keep the history of each experiment in a folder of this (default: none)"
    )


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Choose the loop: sockets and threads have no virtual time."""
    if item.get_closest_marker("real_time"):
        return {"real_time": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to do without stores that are asked for, or that nothing may be left out."""
    asked = config.getoption("--stores") or (StoreKind if IS_ALL_REQUIRED else ())
    for kind in map(StoreKind, asked):
        if missing := kind.lacking():
            raise pytest.UsageError(f"stores {kind} are asked for: {'; '.join(missing)}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return in how many processes `-n auto` tests."""
    return min(os.cpu_count() or 1, WORKERS_MAX)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that measures time wait until no other process of the run tests anything."""
    if not hasattr(item.config, "workerinput"):
        return (yield)  # There are no other processes.
    is_alone = item.get_closest_marker("alone") is not None
    with _floor(Path(item.config.getoption("basetemp")).parent).taken(alone=is_alone):
        return (yield)


@cache
def _floor(folder: Path) -> Floor:
    return Floor(folder)


def pytest_report_header() -> list[str]:
    """Say which stores this machine has, and what it lacks for others."""
    here = ", ".join(kind for kind in StoreKind if not kind.lacking())
    return [f"stores: {here}"] + [
        f"stores {kind} are left out: {'; '.join(missing)}"
        for kind in StoreKind
        if (missing := kind.lacking())
    ]


def pytest_collection_finish() -> None:
    """Let the garbage collector forget what was collected: thousands of tests stay to the end."""
    _tidy_up()


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Collect garbage between tests: what a session keeps would make it last a second in one."""
    if next(_finished) % TESTS_PER_COLLECTION == 0:
        _tidy_up()


def pytest_exception_interact(
    node: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Show what every task waits for when a test hangs: its own traceback ends in the loop."""
    if call.excinfo is not None and "Timeout (>" in str(call.excinfo.value):
        report.sections.append(("Tasks", "\n".join(waiting_tasks())))


def _tidy_up() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def berths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[StoreKind], Berths]]:
    """Return what lends places on this session's servers, which start when they are needed."""
    with ExitStack() as closing:

        @cache
        def on(kind: StoreKind) -> Berths:
            opening = servers_of(kind, tmp_path_factory.mktemp(kind))
            return Berths(closing.enter_context(_for_session(opening)))

        yield on


@pytest.fixture(scope="session")
def mysql(
    tmp_path_factory: pytest.TempPathFactory, leave_out: Callable[[str], None]
) -> Iterator[MysqlServer]:
    """Return this session's private MySQL or MariaDB; `await mysql.fresh()` is a schema's URL."""
    if missing := StoreKind.LOCAL.lacking():
        leave_out("; ".join(missing))
    with _for_session(local_mysql(tmp_path_factory.mktemp("mysql"))) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(
    tmp_path_factory: pytest.TempPathFactory, leave_out: Callable[[str], None]
) -> Iterator[RedisServer]:
    """Return this session's private Redis."""
    if missing := StoreKind.LOCAL.lacking():
        leave_out("; ".join(missing))
    with _for_session(local_redis(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture(scope="session")
def toxiproxy(
    tmp_path_factory: pytest.TempPathFactory, leave_out: Callable[[str], None]
) -> Iterator["ToxiproxyServer"]:
    """Return this session's private Toxiproxy; `open_links` opens links on it."""
    from fixtures.toxiproxy import local

    if missing := local.lacking():
        leave_out("; ".join(missing))
    with _for_session(local.local_toxiproxy(tmp_path_factory.mktemp("toxiproxy"))) as server:
        yield server


@pytest.fixture(scope="session")
def forks() -> Iterator["Forks"]:
    """Return what starts the processes of devices."""
    from fixtures.devices.forks import FOR_MANY, Forks

    with closing(Forks(FOR_MANY)) as forks:
        yield forks


@pytest.fixture(scope="session")
def contained(
    leave_out: Callable[[str], None],
) -> Iterator[Callable[["Topology"], "ContainedForks"]]:
    """Return what starts the devices of a topology in containers, kept for the session."""
    from fixtures.devices.contained import ContainedForks, lacking

    if missing := lacking():
        leave_out("; ".join(missing))
    with ExitStack() as ending:
        started: dict[str, ContainedForks] = {}

        def of(topology: "Topology") -> ContainedForks:
            if topology.name not in started:
                started[topology.name] = ending.enter_context(closing(ContainedForks(topology)))
            return started[topology.name]

        yield of


@pytest.fixture(scope="session")
def toxiproxy_at(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], "ToxiproxyServer"]]:
    """Return this session's Toxiproxy whose links listen on an address of this machine."""
    from fixtures.toxiproxy.local import local_toxiproxy

    with ExitStack() as ending:

        @cache
        def at(host: str) -> "ToxiproxyServer":
            opening = local_toxiproxy(tmp_path_factory.mktemp("toxiproxy"), doors_on=host)
            return ending.enter_context(_for_session(opening))

        yield at


@pytest.fixture(scope="session")
def leave_out() -> Callable[[str], None]:
    """Return what ends a test that this machine cannot run; it fails where all must run."""

    def skip_or_fail(reason: str) -> None:
        (pytest.fail if IS_ALL_REQUIRED else pytest.skip)(reason)

    return skip_or_fail


@contextmanager
def _for_session(opening: AbstractAsyncContextManager[S]) -> Iterator[S]:
    """Hold something open over many tests, each of which has an event loop of its own."""
    with asyncio.Runner() as runner:
        opened = runner.run(opening.__aenter__())
        try:
            yield opened
        finally:
            runner.run(opening.__aexit__(None, None, None))
