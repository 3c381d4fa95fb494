"""Ports of trading/discovery/v1/discovery.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.discovery.v1 import discovery_pb2 as pb


class DiscoveryService(Port):
    """Keeps who is there by leases: an instance registers, beats, and is gone when its beats stop.

    A name has one holder at a time. Every registration gets a fence, a number that is greater than
    every one before: what carries a lower fence comes from a former holder. Whoever starts again
    without the rest, discovery itself included, takes nobody's lease away.

    The word of an instance about itself holds until discovery sees otherwise: it probes
    `grpc.health.v1` of every instance, and one that beats but does not answer is not SERVING.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["DiscoveryService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "register_instance": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="instance.instance_id+request_id",
            callers=frozenset({"*"}),
            target_rps=50.0,
            p99_ms=10.0,
        ),
        "renew_lease": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="lease_id+beat",
            callers=frozenset({"*"}),
            target_rps=500.0,
            p99_ms=5.0,
            urgent=True,
        ),
        "deregister_instance": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="lease_id",
            roles=frozenset({"OPERATOR"}),
            callers=frozenset({"*"}),
            target_rps=20.0,
            p99_ms=10.0,
        ),
        "drain_instance": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR"}),
            target_rps=1.0,
            p99_ms=20.0,
            audited=True,
        ),
        "set_log_level": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR"}),
            target_rps=1.0,
            p99_ms=20.0,
            audited=True,
        ),
        "list_instances": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=100.0,
            p99_ms=10.0,
        ),
        "get_instance": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=100.0,
            p99_ms=10.0,
        ),
        "resolve_service": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=200.0,
            p99_ms=5.0,
        ),
        "watch_instances": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=200.0,
            p99_ms=50.0,
        ),
        "get_identity": Policy(
            deadline_s=0.2,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=20.0,
            p99_ms=5.0,
        ),
    }

    async def register_instance(
        self, request: pb.RegisterInstanceRequest, call: Call = Call()
    ) -> pb.RegisterInstanceResponse:
        """Makes an instance known, and gives it a lease on its names. Only the service itself may
        register its instances. Repeating a request_id returns the first answer; another request_id
        registers anew, with a greater fence: the former lease of the same instance is over then.

        Promises that nobody else gets one of the names before the lease is over, which is never
        before `lease.ttl` has passed since the request, or its last beat, was sent.
        Errors: ALREADY_EXISTS `IDENTITY_TAKEN` while another instance holds one of the names
        (metadata `holder`, `holder_name`, `until`: ask again); INVALID_ARGUMENT `SERVICE_UNKNOWN`,
        `NAME_INVALID`, `ADDRESS_UNROUTABLE`; PERMISSION_DENIED `SERVICE_FOREIGN`.
        """
        raise unimplemented(self)

    async def renew_lease(
        self, request: pb.RenewLeaseRequest, call: Call = Call()
    ) -> pb.RenewLeaseResponse:
        """Prolongs a lease by its full length, and says how the instance is. Only the service itself may
        beat for its instances. A beat that was counted already gets the first answer again.

        Errors: ABORTED `FENCED` when the lease has ended or a later registration has followed: stop,
        then register anew; NOT_FOUND `LEASE_UNKNOWN` when nothing is known of the lease any more;
        UNAVAILABLE while the store is away, as discovery cannot know then whether it is still the
        one that decides: the lease may be prolonged, but nobody may rely on it. A beat is never
        refused because of load: that would take leases from healthy instances.
        """
        raise unimplemented(self)

    async def deregister_instance(
        self, request: pb.DeregisterInstanceRequest, call: Call = Call()
    ) -> pb.DeregisterInstanceResponse:
        """Ends a lease: its names are free at once. The service itself calls it when it has stopped; an
        operator, when he knows that it has. Repeating it changes nothing.
        Errors: as RenewLease.
        """
        raise unimplemented(self)

    async def drain_instance(
        self, request: pb.DrainInstanceRequest, call: Call = Call()
    ) -> pb.DrainInstanceResponse:
        """Takes an instance out of use: callers get no more of it, its next beat tells it to finish what
        it has begun. It keeps its names until it says that it has stopped. Nothing takes it back; the
        instance registers anew. Repeating a request_id returns the first answer.
        Errors: NOT_FOUND `INSTANCE_UNKNOWN`; FAILED_PRECONDITION `INSTANCE_ENDED`.
        """
        raise unimplemented(self)

    async def set_log_level(
        self, request: pb.SetLogLevelRequest, call: Call = Call()
    ) -> pb.SetLogLevelResponse:
        """Sets how much an instance logs; each of its beats is told so until the lease ends. Repeating a
        request_id returns the first answer.
        Errors: NOT_FOUND `INSTANCE_UNKNOWN`; FAILED_PRECONDITION `INSTANCE_ENDED`.
        """
        raise unimplemented(self)

    async def list_instances(
        self, request: pb.ListInstancesRequest, call: Call = Call()
    ) -> pb.ListInstancesResponse:
        """Lists instances in order of their ids: those that live, or those in the statuses asked for. One
        that ended is listed as EXPIRED or GONE for five minutes.
        """
        raise unimplemented(self)

    async def get_instance(
        self, request: pb.GetInstanceRequest, call: Call = Call()
    ) -> pb.GetInstanceResponse:
        """Answers one instance, also one that ended less than five minutes ago.
        Errors: NOT_FOUND `INSTANCE_UNKNOWN`.
        """
        raise unimplemented(self)

    async def resolve_service(
        self, request: pb.ResolveServiceRequest, call: Call = Call()
    ) -> pb.ResolveServiceResponse:
        """Answers where a service is to be called: the endpoints of its SERVING instances, those of the
        caller's zone first; then, as a last choice, of those that are SUSPECT. There may be none.
        Errors: INVALID_ARGUMENT `SERVICE_UNKNOWN`.
        """
        raise unimplemented(self)

    def watch_instances(
        self, request: pb.WatchInstancesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchInstancesResponse, None]:
        """Streams what becomes of instances, in sequence order; ends never. The first message is a
        heartbeat with the current sequence; after_sequence 0 adds a snapshot, all that live as of that
        sequence. Then come the changes behind it, and a heartbeat after every second of silence. Who
        applies them to the snapshot has what ListInstances answers, but for `lease_expire_time`, which
        each beat moves.

        A reader that is too slow is cut off with RESOURCE_EXHAUSTED and resumes without a gap. A
        sequence that is no longer kept (7 days) is OUT_OF_RANGE: watch again after 0.
        """
        raise unimplemented(self)

    async def get_identity(
        self, request: pb.GetIdentityRequest, call: Call = Call()
    ) -> pb.GetIdentityResponse:
        """Answers what an instance is called everywhere, from its name alone; it need not exist.
        Errors: INVALID_ARGUMENT `SERVICE_UNKNOWN`, `NAME_INVALID`.
        """
        raise unimplemented(self)
