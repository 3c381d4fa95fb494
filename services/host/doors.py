"""Where a device is called: over gRPC, and over HTTP where it is told to."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from runtime.health import Durabilities
from runtime.limits import IN_FLIGHT_MAX
from runtime.routes import Routes
from runtime.rpc import Port
from runtime.server import Server
from services.host.settings.options import Settings

if TYPE_CHECKING:  # Who talks in clear text, or over gRPC alone, need not load the rest.
    from runtime.observe.telemetry import Telemetry
    from runtime.rest import Pages, RestServer
    from services.host.security import Secured

Kinds = Sequence[type[Port]]


class Doors:
    """Listens for the calls to `kinds` of services, and carries them to whom `served` knows."""

    def __init__(
        self, kinds: Kinds, served: Routes, settings: Settings, secured: "Secured | None"
    ) -> None:
        self.http_port = 0  # Once it listens: where it speaks HTTP; 0: nowhere.
        self.is_draining = False
        self._kinds = kinds
        self._served = served
        self._settings = settings
        self._tls = secured.server if secured else None
        self._in_flight_max = IN_FLIGHT_MAX * max(1, len(settings.hosted))  # Each has its own.
        self._grpc = Server(
            kinds,
            through=lambda _: served,
            in_flight_max=self._in_flight_max,
            drain_s=settings.drain_s,
            line_max=settings.admission.line,
        )
        self._rest: RestServer | None = None

    async def listen(
        self,
        durabilities: Durabilities,
        pages: "Callable[[], Pages]",
        telemetry: "Telemetry | None" = None,
    ) -> int:
        """Listen while no service answers yet; return the TCP port of gRPC."""
        self._grpc.tell_durability(durabilities)
        if telemetry is not None and self._tls is not None:
            self._tls.on_refusal = telemetry.served.turn_away
        allowed = self._settings.is_plain_text_allowed
        tcp_port = await self._grpc.listen(
            self._settings.listen, self._tls, is_plain_text_allowed=allowed
        )
        if self._settings.http:
            from runtime.rest import RestServer

            served, most, drain_s = self._served, self._in_flight_max, self._settings.drain_s
            self._rest = RestServer(
                self._kinds,
                through=lambda _: served,
                pages=pages(),
                in_flight_max=most,
                drain_s=drain_s,
            )
            if telemetry is not None:
                self._rest.on_answer = telemetry.count_http
            self.http_port = await self._rest.start(
                self._settings.http, self._tls, is_plain_text_allowed=allowed
            )
        return tcp_port

    async def announce(self, port: Port | type[Port]) -> None:
        """Tell who asks for health that the service of `port` answers from now on."""
        await self._grpc.announce(port)

    async def withdraw(self, port: Port | type[Port]) -> None:
        """Tell who asks for health that a service is not meant to answer here."""
        await self._grpc.withdraw(port)

    async def drain(self) -> None:
        """Be NOT_SERVING, refuse new calls, and finish those in flight, as long as it may take."""
        self.is_draining = True
        await self._grpc.drain()
        if self._rest is not None:
            await self._rest.drain()

    async def close(self) -> None:
        """Drain, then listen no more."""
        await self.drain()
        if self._rest is not None:
            await self._rest.stop()
        await self._grpc.stop()
