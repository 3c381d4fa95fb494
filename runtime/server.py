"""The serving side of real gRPC: ports on a socket, with health, reflection and a bounded end."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import (  # type: ignore[import-untyped]
    reflection,
    reflection_pb2_grpc,
)

from runtime.answering import Answering
from runtime.door import Admitted, Door, check_plain_text
from runtime.guards import guarded
from runtime.health import Durabilities, Health
from runtime.limits import (
    DRAIN_S,
    IN_FLIGHT_MAX,
    KEEPALIVE_ANSWER_S,
    LINE_MAX,
)
from runtime.network import SHARED_OPTIONS
from runtime.rpc import Method, Port, Transport, methods
from runtime.virtual import require_real_time

if TYPE_CHECKING:
    from runtime.tls import ServerTls  # Only who uses it pays for what reads certificates.

    Handler = grpc.RpcMethodHandler[Any, Any]  # Generic in the type stubs only.

OWN_LINE_RPS = 20.0  # A method whose contract states at least so many calls a second has one.
ANSWER_S = 0.5  # How long the last answers may take on their way out.
SERVER_OPTIONS = (
    *SHARED_OPTIONS,
    ("grpc.so_reuseport", 0),  # A second server on one address is an error, not a partner.
    ("grpc.http2.min_ping_interval_without_data_ms", int(KEEPALIVE_ANSWER_S * 1000)),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", int(KEEPALIVE_ANSWER_S * 1000)),
)


class Server:
    """Serves ports over gRPC, each call through the guards.

    Where `through` knows the way to services that are built later, their port classes do.
    """

    def __init__(
        self,
        ports: Sequence[Any],
        *,
        through: Callable[[Sequence[Port]], Transport] = guarded,
        in_flight_max: int = IN_FLIGHT_MAX,
        drain_s: float = DRAIN_S,
        line_max: int = LINE_MAX,
    ) -> None:
        require_real_time("a gRPC server")
        self._drain_s = drain_s
        self._door = Door()
        self._answering = Answering(through(ports), self._door, in_flight_max)
        self._names = [str(port.DESCRIPTOR.full_name) for port in ports]
        self._health = Health(self._names)
        self._server = aio.server(options=(*SERVER_OPTIONS, *_line_options(line_max)))
        for port in ports:
            self._add(port)
        health_pb2_grpc.add_HealthServicer_to_server(
            Admitted(self._health, self._door), self._server
        )
        described = [*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
            Admitted(reflection.aio.ReflectionServicer(described), self._door), self._server
        )

    async def start(
        self,
        address: str = "127.0.0.1:0",
        credentials: "ServerTls | None" = None,
        *,
        is_plain_text_allowed: bool = False,
    ) -> int:
        """Listen on `address`; returns the TCP port, chosen by the system if `address` says 0.

        Every service is told to answer; `listen` leaves that to whoever hosts them.
        """
        tcp_port = await self.listen(
            address, credentials, is_plain_text_allowed=is_plain_text_allowed
        )
        for name in self._names:
            await self._health.serve(name)
        return tcp_port

    async def listen(
        self,
        address: str,
        credentials: "ServerTls | None" = None,
        *,
        is_plain_text_allowed: bool = False,
    ) -> int:
        """Listen on `address` while no service answers yet; returns the TCP port.

        With credentials it answers only who shows a certificate of the platform. Without, it
        answers whoever is on this machine; raises ValueError for an address that others reach,
        unless plain text is allowed there.
        """
        if credentials is None:
            check_plain_text(address, is_allowed=is_plain_text_allowed)
            tcp_port = self._server.add_insecure_port(address)
        else:
            self._door.tls = credentials
            tcp_port = self._server.add_secure_port(address, credentials.credentials())
        await self._health.begin()
        await self._server.start()
        return tcp_port

    async def announce(self, port: Port | type[Port]) -> None:
        """Tell who asks for health that the service of `port` answers calls from now on."""
        await self._health.serve(port.DESCRIPTOR.full_name)

    async def withdraw(self, port: Port | type[Port]) -> None:
        """Tell who asks for health that the service of `port` is not meant to answer here."""
        await self._health.rest(port.DESCRIPTOR.full_name)

    def tell_durability(self, durabilities: Durabilities) -> None:
        """Let every health answer tell the durability of its service, by its contract's name."""
        self._health.durabilities = durabilities

    async def drain(self) -> None:
        """Be NOT_SERVING, begin no call any more, finish those in flight, `drain_s` at most.

        A new call is refused UNAVAILABLE with reason DRAINING before anything is done, so it
        may be repeated; endless streams are told to leave. Health is answered to the end.
        """
        if not self._answering.is_draining:
            self._answering.is_draining = True
            await self._health.enter_graceful_shutdown()
            self._answering.end_streams()
        await self._answering.quiet(self._drain_s)

    async def stop(self) -> None:
        """Drain, end what is still in flight, and listen no more."""
        await self.drain()
        await self._server.stop(grace=ANSWER_S)

    def _add(self, port: Port | type[Port]) -> None:
        name = port.DESCRIPTOR.full_name
        kind_of_port = port if isinstance(port, type) else type(port)
        own: dict[str, Handler] = {}
        shared: dict[str, Handler] = {}
        for method in methods(kind_of_port):
            line = own if has_own_line(method) else shared
            line[method.path.rpartition("/")[2]] = self._answering.handler(method)
        self._server.add_registered_method_handlers(name, own)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, shared),))


@asynccontextmanager
async def serve(
    ports: Sequence[Port],
    address: str = "127.0.0.1:0",
    *,
    through: Callable[[Sequence[Port]], Transport] = guarded,
    in_flight_max: int = IN_FLIGHT_MAX,
    credentials: "ServerTls | None" = None,
) -> AsyncIterator[int]:
    """Serve `ports` until the block ends; yields the bound TCP port."""
    server = Server(ports, through=through, in_flight_max=in_flight_max)
    tcp_port = await server.start(address, credentials)
    try:
        yield tcp_port
    finally:
        await server.stop()


def _line_options(line_max: int) -> tuple[tuple[str, int], ...]:
    """Return gRPC's names for how many calls of a method may wait to be received.

    Nobody sees them, and in a line without a bound all would be late. gRPC ends the others as
    CANCELLED, which is indefinite, but costs next to nothing: it is for what is beyond refusing.
    """
    name = "grpc.server.max_pending_requests"
    return (name, line_max), (f"{name}_hard_limit", line_max)


def has_own_line(method: Method) -> bool:
    """Whether calls of a method wait in a line of their own to be received.

    gRPC receives one call of each line at a time, in the order in which they came. In a line that
    is shared urgent calls and those of busy services would wait behind whatever people flood.
    """
    return method.policy.urgent or method.policy.target_rps >= OWN_LINE_RPS
