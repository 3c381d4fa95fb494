"""Between messages and plain values."""

from trading.discovery.v1 import discovery_pb2 as pb

from runtime.naming import Identity
from runtime.times import to_duration, to_timestamp
from services.discovery.entries import Endpoint, Entry, Spec
from services.discovery.registry import Registry


def spec_of(message: pb.InstanceSpec) -> Spec:
    """Return what an instance says of itself."""
    return Spec(
        service=message.service,
        instance_name=message.instance_name,
        instance_id=message.instance_id,
        environment=message.environment,
        endpoints=tuple(Endpoint(e.protocol, e.host, e.port) for e in message.endpoints),
        version=message.version,
        contract_digest=message.contract_digest,
        metadata=tuple(sorted(message.metadata.items())),
        weight=message.weight,
        schema_override=message.schema_override,
        namespace_override=message.namespace_override,
    )


def spec_message(spec: Spec) -> pb.InstanceSpec:
    """Return the message of what an instance says of itself."""
    return pb.InstanceSpec(
        service=spec.service,
        instance_name=spec.instance_name,
        instance_id=spec.instance_id,
        version=spec.version,
        contract_digest=spec.contract_digest,
        environment=spec.environment,
        endpoints=[
            pb.Endpoint(protocol=pb.Protocol.ValueType(e.protocol), host=e.host, port=e.port)
            for e in spec.endpoints
        ],
        metadata=dict(spec.metadata),
        weight=spec.weight,
        schema_override=spec.schema_override,
        namespace_override=spec.namespace_override,
    )


def identity_message(identity: Identity, environment: str) -> pb.Identity:
    """Return the names of an instance."""
    return pb.Identity(
        schema=identity.schema,
        namespace=identity.namespace,
        acl_user=identity.acl_user,
        dns_name=identity.acl_user,
        subject=identity.subject(environment),
    )


def lease_message(entry: Entry, expire_ns: int) -> pb.Lease:
    """Return the lease of an instance."""
    return pb.Lease(
        lease_id=entry.lease_id,
        fence=entry.fence,
        ttl=to_duration(entry.ttl_ns),
        expire_time=to_timestamp(expire_ns),
    )


def instance_message(entry: Entry, expire_ns: int) -> pb.Instance:
    """Return an instance as changes tell of it: without what every beat moves."""
    return pb.Instance(
        spec=spec_message(entry.spec),
        status=status_of(entry),
        since=to_timestamp(entry.since_ns),
        lease_expire_time=to_timestamp(expire_ns),
        lease_id=entry.lease_id,
        fence=entry.fence,
        identity=identity_message(entry.identity, entry.spec.environment),
        drain_reason=entry.drain_reason,
    )


def seen_message(entry: Entry, registry: Registry) -> pb.Instance:
    """Return an instance with what its last beat told."""
    message = instance_message(entry, registry.expire_ns(entry))
    if entry.is_live:
        pulse = registry.pulses[entry.lease_id]
        message.in_flight = pulse.in_flight
        message.loop_lag_ms = pulse.loop_lag_ms
        message.config_sequence = pulse.config_sequence
    return message


def status_of(entry: Entry) -> pb.InstanceStatus.ValueType:
    """Return how others see an instance."""
    return pb.InstanceStatus.ValueType(entry.status)


def change_of(before: Entry | None, after: Entry, expire_ns: int) -> pb.InstanceChange | None:
    """Return what watchers are told of a step; None when they can see nothing of it."""
    if before is None or not before.is_live:
        kind = pb.CHANGE_KIND_ADDED
    elif not after.is_live:
        kind = pb.CHANGE_KIND_REMOVED
    else:
        kind = pb.CHANGE_KIND_CHANGED
        if instance_message(before, 0) == instance_message(after, 0):
            return None
    return pb.InstanceChange(kind=kind, instance=instance_message(after, expire_ns))
