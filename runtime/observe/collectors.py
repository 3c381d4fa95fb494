"""Small collectors: what services know of themselves anyway, as metrics."""

import asyncio
import hashlib
import platform
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from google.protobuf.descriptor import FileDescriptor

from runtime.environment import Environment
from runtime.observe.metrics import MetricsPort, Reader, Reading
from runtime.progress import lag
from runtime.rpc import Port
from runtime.stores.standing import Data, Standing, State

LOOP_S = 0.25  # So often the event loop is asked how late it is.
STATES = tuple(State)
Environments = Callable[[], Mapping[str, Environment | None]]  # By service; None: not started.


class Counts(Protocol):
    """What counts something itself, by reason."""

    @property
    def dropped(self) -> Mapping[str, int]:
        """Return how much was dropped, by reason."""


def process_of(version: str, ports: Iterable[type[Port]]) -> Reader:
    """Return what tells which build and which contracts this process serves."""
    digest = contract_digest(ports)

    def read() -> list[Reading]:
        build = {"release": version, "python": platform.python_version()}
        return [
            Reading("build_info", 1, build),
            Reading("contract_info", 1, {"digest": digest}),
        ]

    return read


def contract_digest(ports: Iterable[type[Port]]) -> str:
    """Return what names the contracts of `ports`, with all they import: equal if they are."""
    files: dict[str, bytes] = {}

    def add(file: FileDescriptor) -> None:
        if file.name not in files:
            files[file.name] = file.serialized_pb
            for other in file.dependencies:
                add(other)

    for port in ports:
        add(port.DESCRIPTOR.file)
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(files[name])
    return whole.hexdigest()[:16]


def stores_of(environments: Environments) -> Reader:
    """Return what tells of each service's stores, by what it knows without asking them."""

    def read() -> list[Reading]:
        return [
            reading
            for name, environment in environments().items()
            for reading in _stores(name, environment.durability.standings() if environment else ())
        ]

    return read


def _stores(name: str, standings: Iterable[Standing]) -> list[Reading]:
    worst: dict[str, int] = {}
    found = []
    for one in standings:
        store = f"{name}/{one.store}"
        worst[store] = max(worst.get(store, 0), STATES.index(one.state))
        if one.data is Data.STREAMS:
            found.append(Reading("outbox_oldest_seconds", one.age_s, {"store": store}))
        elif one.data is Data.FACTS:
            depth = one.depth if one.state is State.SPOOLING else 0
            found.append(Reading("spool_depth", depth, {"store": store}))
    return found + [Reading("durability", state, {"store": s}) for s, state in worst.items()]


def streams_of(environments: Environments) -> Reader:
    """Return what tells how far readers of this process are behind writers of this process."""

    def read() -> list[Reading]:
        found = {name: one.progress for name, one in environments().items() if one is not None}
        behind = lag(found)
        written = {stream for progress in found.values() for stream in progress.written}
        return [
            Reading(
                "stream_lag",
                behind.get(f"{name}<{stream}", 0),
                {"stream": stream, "group": name},
            )
            for name, progress in found.items()
            for stream in progress.read
            if stream in written
        ]

    return read


def dropped_of(name: str, label: str, counts: Counts) -> Reader:
    """Return what tells how much was dropped, by reason, as the counter `name`."""
    return lambda: [
        Reading(name, count, {label: reason}) for reason, count in dict(counts.dropped).items()
    ]


async def watch_loop(metrics: MetricsPort) -> None:
    """Measure how late the event loop comes to its work, until cancelled.

    Only in real time: in virtual time nothing is ever late.
    """
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + LOOP_S
        await asyncio.sleep(LOOP_S)
        metrics.observe_histogram("loop_lag_seconds", max(0.0, loop.time() - due_s))
