"""Answers who is there and where to call: from memory, as committed."""

from collections.abc import Iterable

from trading.discovery.v1 import discovery_pb2 as pb

from runtime.clock import Clock
from runtime.paging import page_of
from runtime.times import to_timestamp
from services.discovery import wire
from services.discovery.entries import Entry, Status
from services.discovery.keeper import Keeper
from services.discovery.naming import Names
from services.discovery.operating import unknown_instance

CALLABLE = (Status.SERVING, Status.SUSPECT)  # The better first.
ZONE = "zone"


class Finding:
    """Looks things up; it waits for nobody, so it answers while the store is away."""

    def __init__(self, keeper: Keeper, names: Names, clock: Clock) -> None:
        self._keeper = keeper
        self._names = names
        self._clock = clock

    def list(self, request: pb.ListInstancesRequest) -> pb.ListInstancesResponse:
        """Return instances in order of their ids."""
        registry = self._keeper.registry
        found = sorted(
            (entry for entry in registry.entries.values() if _is_listed(entry, request)),
            key=_id_of,
        )
        page, token = page_of(found, _id_of, request, (request.page_size, request.page_token))
        instances = [wire.seen_message(entry, registry) for entry in page]
        return pb.ListInstancesResponse(instances=instances, next_page_token=token)

    def get(self, request: pb.GetInstanceRequest) -> pb.GetInstanceResponse:
        """Return one instance. Raises DiscoveryRefused when it is not known."""
        registry = self._keeper.registry
        entry = registry.entries.get(request.instance_id)
        if entry is None:
            raise unknown_instance(request.instance_id)
        return pb.GetInstanceResponse(instance=wire.seen_message(entry, registry))

    def resolve(self, request: pb.ResolveServiceRequest) -> pb.ResolveServiceResponse:
        """Return where to call, the best first."""
        self._names.check_service(request.service)
        found = _callable(self._keeper.registry.live(), request)
        found.sort(key=lambda entry: _rank(entry, request.zone))
        return pb.ResolveServiceResponse(
            endpoints=[endpoint for entry in found for endpoint in _endpoints(entry)],
            sequence=self._keeper.registry.sequence,
            resolved_at=to_timestamp(self._clock.now_ns()),
        )


def _is_listed(entry: Entry, request: pb.ListInstancesRequest) -> bool:
    spec = entry.spec
    if request.service not in ("", spec.service):
        return False
    if request.environment not in ("", spec.environment):
        return False
    is_wanted = int(entry.status) in request.statuses if request.statuses else entry.is_live
    if not is_wanted or not request.selector:
        return is_wanted
    metadata = dict(spec.metadata)
    return all(metadata.get(name) == value for name, value in request.selector.items())


def _id_of(entry: Entry) -> str:
    return entry.spec.instance_id


def _callable(live: Iterable[Entry], request: pb.ResolveServiceRequest) -> list[Entry]:
    """Return whom the request means of those that live; the status, which costs most, is last."""
    service, environment, name = request.service, request.environment, request.instance_name
    return [
        entry
        for entry in live
        if entry.spec.service == service
        and entry.spec.environment == environment
        and (not name or entry.spec.instance_name == name)
        and entry.status in CALLABLE
    ]


def _rank(entry: Entry, zone: str) -> tuple[int, bool, str]:
    is_far = bool(zone) and dict(entry.spec.metadata).get(ZONE) != zone
    return CALLABLE.index(entry.status), is_far, entry.spec.instance_id


def _endpoints(entry: Entry) -> list[pb.ResolvedEndpoint]:
    return [
        pb.ResolvedEndpoint(
            address=endpoint.address,
            protocol=pb.Protocol.ValueType(endpoint.protocol),
            weight=entry.spec.weight,
            status=wire.status_of(entry),
            instance_id=entry.spec.instance_id,
            instance_name=entry.spec.instance_name,
            fence=entry.fence,
        )
        for endpoint in entry.spec.endpoints
    ]
