"""Asks instances by `grpc.health.v1` whether they answer: discovery believes only who does (D2)."""

from collections.abc import Callable
from typing import Protocol

from grpc_health.v1 import health_pb2  # type: ignore[import-untyped]

from runtime.errors import ServiceError
from runtime.rpc import Call, Method
from runtime.single import Only, one
from runtime.targets import Connection

LIMIT_S = 1.0
CONNECTIONS_MAX = 4_096  # More than instances: those of addresses that are gone are closed.
CHECK = Method(
    "/grpc.health.v1.Health/Check",
    "check",
    health_pb2.HealthCheckRequest,
    health_pb2.HealthCheckResponse,
    streams_requests=False,
    streams_responses=False,
)


class Endpoint(Protocol):
    """Where an instance says that it is reached."""

    @property
    def address(self) -> str:
        """Return "host:port"."""


class HealthProbe:
    """Asks the health service at an endpoint; keeps a connection to each. Close it at the end.

    `connect` opens a connection to whoever serves a contract at an address, over gRPC.
    """

    def __init__(self, connect: Callable[[str, str], Connection]) -> None:
        self._connect = connect
        self._connections: dict[tuple[str, str], Connection] = {}

    async def __call__(self, endpoint: Endpoint, contract: str) -> bool:
        """Return whether `contract` is SERVING there; it is not when nobody answers in time."""
        connection = await self._connection(contract, endpoint.address)
        request = Only(health_pb2.HealthCheckRequest(service=contract))
        try:
            answer = await one(connection.call(CHECK, request, Call(timeout_s=LIMIT_S)))
        except ServiceError:
            return False
        assert isinstance(answer, health_pb2.HealthCheckResponse)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def close(self) -> None:
        """Close every connection."""
        while self._connections:
            _, connection = self._connections.popitem()
            await connection.close()

    async def _connection(self, contract: str, address: str) -> Connection:
        key = contract, address
        connection = self._connections.pop(key, None)
        if connection is None:
            connection = self._connect(contract, address)
            if len(self._connections) >= CONNECTIONS_MAX:
                oldest = next(iter(self._connections))
                await self._connections.pop(oldest).close()
        self._connections[key] = connection  # The newest in use is the last.
        return connection
