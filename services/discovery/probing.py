"""Probes instances over gRPC by `grpc.health.v1`; hosts in real time give it to discovery."""

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from runtime.network import open_channel
from services.discovery.entries import Endpoint

LIMIT_S = 1.0
CHANNELS_MAX = 4_096  # More than instances: those of addresses that are gone are closed.


class GrpcProbe:
    """Asks the health service at an endpoint; keeps a channel to each. Close it at the end."""

    def __init__(self, credentials: grpc.ChannelCredentials | None = None) -> None:
        """Probe in clear text if no credentials are given."""
        self._credentials = credentials
        self._channels: dict[str, aio.Channel] = {}

    async def __call__(self, endpoint: Endpoint, contract: str) -> bool:
        """Return whether `contract` is SERVING there; it is not when nobody answers in time."""
        stub = health_pb2_grpc.HealthStub(await self._channel(endpoint.address))
        try:
            answer = await stub.Check(
                health_pb2.HealthCheckRequest(service=contract), timeout=LIMIT_S
            )
        except aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def close(self) -> None:
        """Close every channel."""
        while self._channels:
            _, channel = self._channels.popitem()
            await channel.close()

    async def _channel(self, address: str) -> aio.Channel:
        channel = self._channels.pop(address, None)
        if channel is None:
            channel = open_channel(address, self._credentials)
            if len(self._channels) >= CHANNELS_MAX:
                oldest = next(iter(self._channels))
                await self._channels.pop(oldest).close()
        self._channels[address] = channel  # The newest in use is the last.
        return channel
