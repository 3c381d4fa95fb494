"""Discovery as a service: converts, calls who does it, answers."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from trading.discovery.v1 import discovery_pb2 as pb
from trading.discovery.v1.discovery_port import DiscoveryService

from runtime.environment import Environment
from runtime.identity import principal_of
from runtime.rpc import Call
from services.discovery import wire
from services.discovery.finding import Finding
from services.discovery.holding import Holding
from services.discovery.keeper import Keeper
from services.discovery.naming import Names
from services.discovery.operating import Operating
from services.discovery.probes import Probe, Probes
from services.discovery.refusals import refusals_as_status
from services.discovery.sweeping import Sweeping
from services.discovery.terms import Terms
from services.discovery.watching import Watching

LOCAL = "local"


class Discovery(DiscoveryService):
    """Keeps who is there by leases.

    While no instance is registered nothing runs by time: no timer is set.
    """

    def __init__(
        self,
        environment: Environment,
        contracts: Mapping[str, str],
        probe: Probe | None = None,
        terms: Terms | None = None,
    ) -> None:
        """Know the services in `contracts`, each with the contract that its health is asked by.

        Without a `probe` what instances say of themselves is believed.
        """
        terms = terms or Terms()
        names = Names(contracts, terms)
        self._environment = environment
        self._names = names
        self._keeper = Keeper(environment, terms)
        self._sweeping = Sweeping(environment, self._keeper)
        self._holding = Holding(environment, self._keeper, names, self._sweeping)
        self._operating = Operating(environment, self._keeper)
        self._finding = Finding(self._keeper, names, environment.clock)
        self._watching = Watching(environment, self._keeper)
        self._probes = probe and Probes(environment, self._keeper, probe, contracts)

    @property
    def is_expiry_paused(self) -> bool:
        """Whether so many leases would end at once that none does for a while (D3)."""
        return self._keeper.registry.pause_until_ns != 0

    async def start(self) -> None:
        """Read what was committed last, and give every lease in it one full length."""
        await self._keeper.start()
        self._environment.tasks.spawn(self._sweeping.run(), name="expiry")
        if self._probes is not None:
            self._environment.tasks.spawn(self._probes.run(), name="probes")

    async def stop(self) -> None:
        """End watches and what runs for callers; what was committed stays."""
        self._keeper.feed.close()
        await self._holding.stop()
        await self._operating.stop()
        await self._environment.tasks.stop()

    async def register_instance(
        self, request: pb.RegisterInstanceRequest, call: Call = Call()
    ) -> pb.RegisterInstanceResponse:
        """Give an instance a lease on its names; see the contract."""
        with refusals_as_status():
            return await self._holding.register(request, principal_of(call))

    async def renew_lease(
        self, request: pb.RenewLeaseRequest, call: Call = Call()
    ) -> pb.RenewLeaseResponse:
        """Prolong a lease; see the contract."""
        with refusals_as_status():
            return await self._holding.renew(request, principal_of(call))

    async def deregister_instance(
        self, request: pb.DeregisterInstanceRequest, call: Call = Call()
    ) -> pb.DeregisterInstanceResponse:
        """End a lease; see the contract."""
        with refusals_as_status():
            return await self._holding.deregister(request, principal_of(call))

    async def drain_instance(
        self, request: pb.DrainInstanceRequest, call: Call = Call()
    ) -> pb.DrainInstanceResponse:
        """Take an instance out of use; see the contract."""
        with refusals_as_status():
            return await self._operating.drain(request)

    async def set_log_level(
        self, request: pb.SetLogLevelRequest, call: Call = Call()
    ) -> pb.SetLogLevelResponse:
        """Set how much an instance logs; see the contract."""
        with refusals_as_status():
            return await self._operating.set_log_level(request)

    async def list_instances(
        self, request: pb.ListInstancesRequest, call: Call = Call()
    ) -> pb.ListInstancesResponse:
        """List instances; see the contract."""
        with refusals_as_status():
            return self._finding.list(request)

    async def get_instance(
        self, request: pb.GetInstanceRequest, call: Call = Call()
    ) -> pb.GetInstanceResponse:
        """Return one instance; see the contract."""
        with refusals_as_status():
            return self._finding.get(request)

    async def resolve_service(
        self, request: pb.ResolveServiceRequest, call: Call = Call()
    ) -> pb.ResolveServiceResponse:
        """Return where a service is to be called; see the contract."""
        with refusals_as_status():
            return self._finding.resolve(request)

    async def watch_instances(
        self, request: pb.WatchInstancesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchInstancesResponse, None]:
        """Stream what becomes of instances; see the contract."""
        async with aclosing(self._watching.watch(request)) as messages:
            async for message in messages:
                yield message

    async def get_identity(
        self, request: pb.GetIdentityRequest, call: Call = Call()
    ) -> pb.GetIdentityResponse:
        """Return what an instance is called everywhere; see the contract."""
        with refusals_as_status():
            identity = self._names.identity(request.service, request.instance_name)
        environment = request.environment or LOCAL
        return pb.GetIdentityResponse(identity=wire.identity_message(identity, environment))
