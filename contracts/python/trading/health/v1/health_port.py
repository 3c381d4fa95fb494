"""Ports of trading/health/v1/health.proto. Generated: edit that, then `make generate`."""

from collections.abc import Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.health.v1 import health_pb2 as pb


class HealthService(Port):
    """Tells how the services of one process are.

    It needs no store, so it answers while stores are away. `grpc.health.v1` says the same in
    short: SERVING or not, with the durability of the service in its trailing metadata under
    `plimsoll-durability`.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["HealthService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "get_health": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"VIEWER"}),
            callers=frozenset({"*"}),
        ),
    }

    async def get_health(
        self, request: pb.GetHealthRequest, call: Call = Call()
    ) -> pb.GetHealthResponse:
        """Answers how each service is: whether it serves, and what it promises about its data.

        Errors: NOT_FOUND with reason SERVICE_UNKNOWN (no such service in this process).
        """
        raise unimplemented(self)
