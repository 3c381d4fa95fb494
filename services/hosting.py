"""One service in a process: its stores are opened as soon as they can be (S8)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from runtime.environment import Environment
from runtime.guards import guarded
from runtime.measurements import Measurements
from runtime.observe.scope import work_of
from runtime.observe.tracer import Tracer
from runtime.routes import Routes
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
log = logging.getLogger(__name__)


class Host:
    """Starts one service, however long its stores are away, and stops it."""

    def __init__(
        self,
        name: str,
        opened: Open,
        build: Build,
        tracer: Tracer | None = None,
        measurements: Measurements | None = None,
    ) -> None:
        self.name = name
        self._tracer = tracer  # None: nothing is traced.
        self._measurements = measurements
        self.environment: Environment | None = None  # Of the running service.
        self._opened = opened
        self._build = build
        self._port: Port | None = None

    async def durability(self) -> str:
        """Return the least that the service promises about its data; nothing before its start."""
        if self.environment is None:
            return State.REFUSING
        return worst(await self.environment.durability.look()).state

    async def start(self, routes: Routes) -> None:
        """Return when the service answers; tries again 1, 2, 4 … 30 s after each failure.

        A schema of another revision is no outage: SchemaError is raised, as are bugs.
        """
        with work_of(self._tracer):
            await self._patiently_started()
        assert self.environment is not None
        assert self._port is not None
        durability = self.environment.durability
        way_in = guarded([self._port], self._measurements, None, durability, self._tracer)
        routes.serve(self._port, way_in)

    async def stop(self) -> None:
        """Stop the service, if it runs, then let go of its stores."""
        if self._port is not None and self.environment is not None:
            await self._port.stop()
            await _close(self.environment)

    async def _patiently_started(self) -> None:
        presence = Presence()
        while True:
            try:
                self._port = await self._started()
            except Exception as error:
                trouble = cleared(error)
                if not isinstance(trouble, StoreError) or isinstance(trouble, SchemaError):
                    raise
                if presence.failed(0, trouble.message):
                    log.warning("%s waits for its store: %s", self.name, trouble.message)
                await asyncio.sleep(presence.next_probe_s())
            else:
                return

    async def _started(self) -> Port:
        environment = await self._opened()
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
