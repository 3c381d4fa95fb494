"""Opens what joins a calling service and a place where a peer is: gRPC, and REST beside it."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from runtime.fallback import Fallback, Rollout, Way, WayStats
from runtime.rpc import Call, Method, Transport
from runtime.single import Messages
from runtime.targets import ChannelConnection, Connection, Endpoint
from services.host.settings.places import Place

if TYPE_CHECKING:  # Who talks in clear text, or over gRPC alone, need not load the rest.
    from aiohttp import ClientSession

    from services.host.security import Secured


class Joiner:
    """Opens the connections of a device; `rollout` says which share of calls goes by REST.

    A place where HTTP is not spoken gets all calls over gRPC. `stats` tell, by calling and
    called service, how many calls took which way.
    """

    def __init__(self, secured: "Secured | None", shares: Mapping[str, int]) -> None:
        self.rollout = Rollout(shares)
        self.stats: dict[tuple[str, str], Mapping[Way, WayStats]] = {}
        self._secured = secured
        self._session: ClientSession | None = None

    def open(self, caller: str, callee: str, place: Place) -> Connection:
        """Open a connection of service `caller` to service `callee` at a place."""
        if self._secured is None:
            grpc: Connection = ChannelConnection(Endpoint(place.address))
        else:
            grpc = self._secured.connection(caller, callee, place.address)
        if not place.http_address:
            return grpc
        both = Fallback(grpc, self._rest(caller, callee, place.http_address), self.rollout)
        both.stats = self.stats.setdefault((caller, callee), both.stats)  # It outlives this.
        return _Both(grpc, both)

    def by_name(self) -> dict[str, dict[str, int]]:
        """Return how many calls went which way, by "caller->callee"."""
        return {
            f"{pair[0]}->{pair[1]}": {way.value: stats.calls for way, stats in ways.items()}
            for pair, ways in self.stats.items()
        }

    async def close(self) -> None:
        """Close what connections share; they are closed before."""
        if self._session is not None:
            await self._session.close()

    def _rest(self, caller: str, callee: str, address: str) -> Transport:
        from runtime.rest import RestTransport, open_session

        if self._session is None:
            self._session = open_session()
        if self._secured is None:
            return RestTransport(f"http://{address}", self._session)
        tls = self._secured.callers[caller]
        return RestTransport(
            f"https://{address}", self._session, tls=tls, server_name=tls.server_name(callee)
        )


class _Both:
    """A connection that carries some calls, or those that gRPC cannot carry, over REST."""

    def __init__(self, grpc: Connection, both: Fallback) -> None:
        self._grpc = grpc
        self._both = both

    @property
    def is_broken(self) -> bool:
        return self._grpc.is_broken

    @property
    def is_connected(self) -> bool:
        return self._grpc.is_connected

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        return self._both.call(method, requests, call)

    async def close(self) -> None:
        await self._grpc.close()
