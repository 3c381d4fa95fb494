"""Leases: how an instance comes to one, keeps it and gives it up."""

from google.protobuf.duration_pb2 import Duration
from sqlalchemy import Connection
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.environment import Environment
from runtime.identity import Principal
from runtime.stores import Requests
from runtime.times import to_duration
from services.discovery import tables, wire
from services.discovery.entries import Entry, Pulse, Reported, State, reported_after
from services.discovery.keeper import Keeper
from services.discovery.naming import Names, check_addresses, check_free
from services.discovery.refusals import DiscoveryRefused
from services.discovery.sweeping import Sweeping

REGISTER = "register_instance"
OPERATORS = frozenset({"OPERATOR", "ADMIN"})


class Holding:
    """Gives out leases, prolongs and ends them."""

    def __init__(
        self, environment: Environment, keeper: Keeper, names: Names, sweeping: Sweeping
    ) -> None:
        self._environment = environment
        self._keeper = keeper
        self._names = names
        self._sweeping = sweeping
        self._requests = Requests(
            environment.database, tables.requests, environment.clock, service="discovery"
        )

    async def register(
        self, request: pb.RegisterInstanceRequest, caller: Principal | None
    ) -> pb.RegisterInstanceResponse:
        """Give an instance a lease on its names, or answer as the first request was answered."""
        check_own(request.instance.service, caller)
        key = f"{request.instance.instance_id}/{request.request_id}"
        return await self._requests.once(
            REGISTER, key, request, lambda: self._register(key, request)
        )

    async def renew(
        self, request: pb.RenewLeaseRequest, caller: Principal | None
    ) -> pb.RenewLeaseResponse:
        """Prolong a lease, and tell what its instance has to do."""
        keeper, heard_ns = self._keeper, self._environment.clock.now_ns()
        if keeper.is_settled(request.lease_id):
            entry, pulse = self._held(request, caller)
            # Prolonged before it is confirmed: that only ever makes others wait longer, and so
            # a store that is away ends no lease whose holder beats.
            pulse.heard_ns = max(pulse.heard_ns, heard_ns)
            if request.beat <= pulse.beat:
                return pb.RenewLeaseResponse.FromString(pulse.answer)
            if self._after(entry, request) is entry:
                await keeper.confirm()
                # A step that was on its way may have ended the lease meanwhile.
                if keeper.is_settled(request.lease_id) and self._is_held_by(entry):
                    return self._answer(request, entry, pulse)
        async with keeper.opened():
            entry, pulse = self._held(request, caller)
            pulse.heard_ns = max(pulse.heard_ns, heard_ns)
            after = self._after(entry, request)
            if after is entry:
                await keeper.confirm()
            else:
                await keeper.commit([after])
        return self._answer(request, after, pulse)

    async def deregister(
        self, request: pb.DeregisterInstanceRequest, caller: Principal | None
    ) -> pb.DeregisterInstanceResponse:
        """End a lease; ending it again changes nothing."""
        async with self._keeper.opened() as registry:
            known = registry.leases.get(request.lease_id)
            entry = registry.entries.get(known.instance_id) if known else None
            if known is None or entry is None:
                raise _unknown_lease(request.lease_id)
            if caller is None or not OPERATORS & caller.roles:
                check_own(entry.spec.service, caller)
            is_last = (entry.lease_id, entry.fence) == (request.lease_id, request.fence)
            if is_last and entry.state is State.GONE:
                return pb.DeregisterInstanceResponse()
            if not is_last or not entry.is_live:
                raise _fenced(request.fence, entry)
            now_ns = self._environment.clock.now_ns()
            await self._keeper.commit([entry.changed(now_ns, state=State.GONE, ended_ns=now_ns)])
        return pb.DeregisterInstanceResponse()

    async def stop(self) -> None:
        """Cancel what still runs for callers."""
        await self._requests.stop()

    async def _register(
        self, key: str, request: pb.RegisterInstanceRequest
    ) -> pb.RegisterInstanceResponse:
        spec = wire.spec_of(request.instance)
        check_addresses(spec)
        identity = self._names.identity_of_spec(spec)
        await self._sweeping.sweep()  # What is due by now ends before anybody asks for it.
        async with self._keeper.opened() as registry:
            check_free(registry, identity, spec)
            now_ns = self._environment.clock.now_ns()
            entry = Entry(
                spec=spec,
                identity=identity,
                lease_id=self._environment.ids.new(),
                fence=registry.fence + 1,
                ttl_ns=self._ttl_ns(request.ttl),
                since_ns=now_ns,
            )
            answer = pb.RegisterInstanceResponse(
                lease=wire.lease_message(entry, now_ns + entry.ttl_ns),
                identity=wire.identity_message(identity, spec.environment),
            )

            def remember(tx: Connection) -> None:
                self._requests.remember(tx, REGISTER, key, request, answer)

            await self._keeper.commit([entry], remember, fence=entry.fence)
        return answer

    def _ttl_ns(self, wanted: Duration) -> int:
        return wanted.ToNanoseconds() or self._keeper.terms.ttl_ns

    def _held(self, request: pb.RenewLeaseRequest, caller: Principal | None) -> tuple[Entry, Pulse]:
        """Return whose lease it is, with its beats. Raises DiscoveryRefused if it is not any."""
        registry = self._keeper.registry
        known = registry.leases.get(request.lease_id)
        entry = registry.entries.get(known.instance_id) if known else None
        if known is None or entry is None:
            raise _unknown_lease(request.lease_id)
        check_own(entry.spec.service, caller)
        is_last = (entry.lease_id, entry.fence) == (request.lease_id, request.fence)
        if not is_last or not entry.is_live:
            raise _fenced(request.fence, entry)
        return entry, registry.pulses[entry.lease_id]

    def _is_held_by(self, entry: Entry) -> bool:
        """Tell whether nothing has changed about an instance."""
        return self._keeper.registry.entries.get(entry.spec.instance_id) is entry

    def _after(self, entry: Entry, request: pb.RenewLeaseRequest) -> Entry:
        """Return the entry after a beat: the same one, if others see no difference."""
        reported = reported_after(entry.reported, Reported(request.status))
        if reported is entry.reported and not entry.is_suspect:
            return entry
        now_ns = self._environment.clock.now_ns()
        return entry.changed(now_ns, reported=reported, is_suspect=False)

    def _answer(
        self, request: pb.RenewLeaseRequest, entry: Entry, pulse: Pulse
    ) -> pb.RenewLeaseResponse:
        answer = pb.RenewLeaseResponse(ttl=to_duration(entry.ttl_ns))
        answer.directives.extend(self._directives(entry))
        pulse.beat, pulse.answer = request.beat, answer.SerializeToString()
        pulse.in_flight, pulse.loop_lag_ms = request.in_flight, request.loop_lag_ms
        pulse.config_sequence = request.config_sequence
        return answer

    def _directives(self, entry: Entry) -> list[pb.Directive]:
        found = []
        if entry.reported is Reported.DRAINING and entry.drain_reason:
            reason = entry.drain_reason
            found.append(pb.Directive(kind=pb.DIRECTIVE_KIND_DRAIN, reason=reason))
        if entry.log_level:
            level = pb.LogLevel.ValueType(entry.log_level)
            found.append(pb.Directive(kind=pb.DIRECTIVE_KIND_LOG_LEVEL, log_level=level))
        if not self._names.are_of(entry.spec, entry.identity):
            reason = f"{entry.spec.instance_name} has other names now than those it holds"
            found.append(pb.Directive(kind=pb.DIRECTIVE_KIND_RE_REGISTER, reason=reason))
        return found


def check_own(service: str, caller: Principal | None) -> None:
    """Raise DiscoveryRefused unless the service itself calls."""
    if caller is None or caller.service != service:
        name = caller.service or caller.name if caller else "nobody"
        raise DiscoveryRefused(
            pb.DISCOVERY_REFUSAL_REASON_SERVICE_FOREIGN,
            f"{name} asks for an instance of {service}, must be {service} itself: "
            "call with the service's own identity",
        )


def _unknown_lease(lease_id: str) -> DiscoveryRefused:
    return DiscoveryRefused(
        pb.DISCOVERY_REFUSAL_REASON_LEASE_UNKNOWN,
        f"nothing is known of lease {lease_id}: stop, then register anew",
    )


def _fenced(fence: int, entry: Entry) -> DiscoveryRefused:
    return DiscoveryRefused(
        pb.DISCOVERY_REFUSAL_REASON_FENCED,
        f"fence {fence} does not hold any more, the last one of {entry.spec.instance_name} was "
        f"{entry.fence}: stop, then register anew",
        fence=str(entry.fence),
    )
