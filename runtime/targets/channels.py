"""A connection to an endpoint over real gRPC: one channel, its state told."""

import grpc

from runtime.network import GrpcTransport, open_channel
from runtime.targets.endpoints import Endpoint


class ChannelConnection(GrpcTransport):
    """A channel to one endpoint, in clear text if no credentials are given."""

    def __init__(
        self, endpoint: Endpoint, credentials: grpc.ChannelCredentials | None = None
    ) -> None:
        self._own_channel = open_channel(endpoint.address, credentials)
        super().__init__(self._own_channel)

    @property
    def is_broken(self) -> bool:
        """Whether the last attempt to connect failed; gRPC tries again by itself."""
        return self._own_channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE

    @property
    def is_connected(self) -> bool:
        """Whether a connection stands; one that was lost while nobody called is sought anew."""
        state = self._own_channel.get_state(try_to_connect=True)
        return state is grpc.ChannelConnectivity.READY

    async def close(self) -> None:
        """Close the channel; what is in flight ends UNAVAILABLE with reason CHANNEL_CLOSED."""
        await self._own_channel.close()
