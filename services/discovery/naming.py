"""Which names an instance gets, and whether it may have them."""

from collections.abc import Collection

from trading.discovery.v1 import discovery_pb2 as pb

from runtime.naming import Identity, identity_of
from services.discovery.addresses import why_unroutable
from services.discovery.entries import Spec
from services.discovery.refusals import DiscoveryRefused
from services.discovery.registry import Registry
from services.discovery.terms import Terms


class Names:
    """Derives names; a pure function of the service and the name (N2), overrides aside (N3)."""

    def __init__(self, services: Collection[str], terms: Terms) -> None:
        self._services = frozenset(services) | frozenset(terms.areas)
        self._areas = terms.areas

    def identity(self, service: str, instance_name: str) -> Identity:
        """Return the names of an instance. Raises DiscoveryRefused when there can be none."""
        self.check_service(service)
        try:
            return identity_of(service, instance_name, area=self._areas.get(service, ""))
        except ValueError as error:
            raise _invalid(error) from None

    def identity_of_spec(self, spec: Spec) -> Identity:
        """Return the names of an instance, those that it overrides as it says."""
        identity = self.identity(spec.service, spec.instance_name)
        try:
            return identity.overridden(
                schema=spec.schema_override, namespace=spec.namespace_override
            )
        except ValueError as error:
            raise _invalid(error) from None

    def are_of(self, spec: Spec, held: Identity) -> bool:
        """Tell whether an instance would get the names it holds if it registered now."""
        try:
            return self.identity_of_spec(spec) == held
        except DiscoveryRefused:
            return False

    def check_service(self, service: str) -> None:
        """Raise DiscoveryRefused when the platform has no such service."""
        if service not in self._services:
            raise DiscoveryRefused(
                pb.DISCOVERY_REFUSAL_REASON_SERVICE_UNKNOWN,
                f"there is no service {service!r}, must be one of "
                f"{', '.join(sorted(self._services))}: correct it",
            )


def check_addresses(spec: Spec) -> None:
    """Raise DiscoveryRefused when nobody elsewhere could reach an endpoint (D4)."""
    for endpoint in spec.endpoints:
        if why := why_unroutable(endpoint.host, spec.environment):
            raise DiscoveryRefused(
                pb.DISCOVERY_REFUSAL_REASON_ADDRESS_UNROUTABLE,
                f"host {endpoint.host!r} {why}: announce where others can call",
                host=endpoint.host,
            )


def check_free(registry: Registry, identity: Identity, spec: Spec) -> None:
    """Raise DiscoveryRefused while another live instance holds one of the names."""
    taken = registry.taken(identity, spec.environment, spec.instance_id)
    if taken is None:
        return
    holder = taken.holder.spec
    raise DiscoveryRefused(
        pb.DISCOVERY_REFUSAL_REASON_IDENTITY_TAKEN,
        f"{taken.kind} {taken.value!r} of {spec.instance_name} is held by {holder.instance_name} "
        f"({holder.instance_id}): ask again when its lease has ended, or rename one of the two",
        kind=taken.kind,
        value=taken.value,
        holder=holder.instance_id,
        holder_name=holder.instance_name,
        until=str(registry.expire_ns(taken.holder)),
    )


def _invalid(error: ValueError) -> DiscoveryRefused:
    return DiscoveryRefused(pb.DISCOVERY_REFUSAL_REASON_NAME_INVALID, str(error))
