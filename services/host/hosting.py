"""One service in a process: its stores are opened as soon as they can be (S8)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from grpc import StatusCode

from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.hosting import Tasks
from runtime.observe.scope import work_of
from runtime.observe.tracer import Tracer
from runtime.rpc import Port
from runtime.stores import StoreError
from runtime.stores.errors import cleared
from runtime.stores.migrating import SchemaError
from runtime.stores.presence import Presence
from runtime.stores.standing import State, worst

Open = Callable[
    [], Awaitable[Environment]
]  # Opens the service's stores; raises when they are away.
Build = Callable[[Environment], Port]
PEER_PROBE_S = 0.2
UNAVAILABLE, DEADLINE_EXCEEDED = StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED
log = logging.getLogger(__name__)


class Host:
    """Starts one service, however long its stores are away, and stops it."""

    def __init__(self, name: str, opened: Open, build: Build, tracer: Tracer | None = None) -> None:
        self.name = name
        self.tracer = tracer  # None: nothing is traced.
        self.environment: Environment | None = None  # Of the running service.
        self._opened = opened
        self._build = build
        self._port: Port | None = None
        self._left: Environment | None = None  # By a service that crashed.

    @property
    def latest(self) -> Environment | None:
        """What the service runs with, or ran with before it crashed; None before its start."""
        return self.environment or self._left

    async def durability(self) -> str:
        """Return the least that the service promises about its data; nothing before its start."""
        if self.environment is None:
            return State.REFUSING
        return worst(await self.environment.durability.look()).state

    async def start(self) -> Port:
        """Return the service when it can answer; tries again while its stores or peers are away.

        A store is asked again after 1, 2, 4 … 30 s, a peer after 0.2 s. A schema of another
        revision is no outage: SchemaError is raised, as are bugs.
        """
        with work_of(self.tracer):
            self._port = await self._patiently_started()
        return self._port

    async def crash(self) -> None:
        """End the service without a farewell; the next start finds what it had committed."""
        former, self.environment, self._port = self.environment, None, None
        if former is None:
            return
        try:
            await former.tasks.stop()
        finally:
            self._left = replace(
                former,
                database=former.database.crash(),
                spool=former.spool and former.spool.crash(),
                tasks=Tasks(self.name),
            )

    async def stop(self) -> None:
        """Stop the service, if it runs, then let go of its stores."""
        port, environment = self._port, self.environment
        self._port = self.environment = None
        left, self._left = self._left, None
        try:
            if port is not None and environment is not None:
                await port.stop()
        finally:
            for opened in filter(None, (environment, left)):
                await _close(opened)

    async def _patiently_started(self) -> Port:
        presence = Presence()
        while True:
            try:
                return await self._started()
            except Exception as error:
                trouble = cleared(error)
                if not is_outage(trouble):
                    raise
                if presence.failed(0, str(trouble)):
                    log.warning("%s waits to start: %s", self.name, trouble)
                is_store = isinstance(trouble, StoreError)
                await asyncio.sleep(presence.next_probe_s() if is_store else PEER_PROBE_S)

    async def _started(self) -> Port:
        environment, self._left = self._left or await self._opened(), None
        try:
            port = self._build(environment)
            try:
                await port.start()
            except BaseException:
                await _abandoned(port)
                raise
        except BaseException:
            await _close(environment)
            raise
        self.environment = environment
        return port


def is_outage(trouble: Exception) -> bool:
    """Whether patience mends what stopped a service from starting: a store or a peer is away."""
    if isinstance(trouble, SchemaError):
        return False
    return isinstance(trouble, StoreError) or (
        isinstance(trouble, ServiceError) and trouble.code in {UNAVAILABLE, DEADLINE_EXCEEDED}
    )


async def _abandoned(port: Port) -> None:
    """End what a service began before its start failed: the next attempt is built anew."""
    try:
        await port.stop()
    except StoreError as error:
        log.info("a service that could not start stopped with %s", error)


async def _close(environment: Environment) -> None:
    await environment.database.close()
    if environment.spool is not None:
        await environment.spool.close()
    await environment.streams.redis.aclose()
