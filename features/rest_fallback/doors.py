"""Two ways into the platform that a scenario can close: one over gRPC, one over REST."""

from contextlib import AsyncExitStack

from trading.orders.v1.orders_port import OrderService
from trading.portfolio.v1.portfolio_port import PortfolioService

from fixtures.principals import OPERATOR, TRADER
from fixtures.stage import Stage
from runtime.client import client_for
from runtime.fallback import Fallback, Rollout, Way
from runtime.identity import Principal
from runtime.ids import derived_rng
from runtime.network import GrpcTransport, open_channel
from runtime.rest import RestServer, RestTransport, open_session
from runtime.rpc import P, Transport
from runtime.server import Server

DRAIN_S = 0.2


class Doors:
    """Both ways to whatever serves each contract now, and clients that know both."""

    def __init__(self, stage: Stage) -> None:
        ports = [type(port) for served in stage.system.here.hosted.values() for port in served]
        routes = stage.system.here.routes
        self.rollout = Rollout()
        self.servers: dict[Way, Server | RestServer] = {
            Way.GRPC: Server(ports, through=lambda _: routes, drain_s=DRAIN_S),
            Way.REST: RestServer(ports, through=lambda _: routes, drain_s=DRAIN_S),
        }
        self.ways: dict[Way, Transport] = {}
        self.both: Fallback
        self._stage = stage
        self._closing = AsyncExitStack()

    async def open(self) -> None:
        """Listen, and let Ana and Otto come in here."""
        grpc_port, rest_port = [await server.start() for server in self.servers.values()]
        for server in self.servers.values():
            self._closing.push_async_callback(server.stop)
        channel = await self._closing.enter_async_context(open_channel(f"127.0.0.1:{grpc_port}"))
        session = await self._closing.enter_async_context(open_session())
        self.ways[Way.GRPC] = GrpcTransport(channel)
        self.ways[Way.REST] = RestTransport(f"http://127.0.0.1:{rest_port}", session)
        self.both = Fallback(self.ways[Way.GRPC], self.ways[Way.REST], self.rollout)
        self._stage.orders = self.client(OrderService, TRADER, self.both)
        self._stage.portfolio = self.client(PortfolioService, OPERATOR, self.both)

    def client(self, port: type[P], principal: Principal, transport: Transport) -> P:
        """Return a client that is recorded like those of the platform."""
        recorded = self._stage.system.recorder.over(transport, principal.name)
        rng = derived_rng(1, "doors", principal.name, port.DESCRIPTOR.full_name)
        return client_for(port, recorded, caller=principal, rng=rng)

    def turn(self, percent_rest: int) -> None:
        """Send that share of every service's calls over REST."""
        for service in ("orders", "portfolio"):
            self.rollout.set(service, percent_rest)

    def answered(self, way: Way) -> int:
        """Return how many calls were answered by `way`."""
        stats = self.both.stats[way]
        return stats.calls - stats.failed

    async def close(self) -> None:
        """Close what is open."""
        await self._closing.aclose()
