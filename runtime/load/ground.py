"""Where traffic stands: clients that call once each, as whoever they are asked to call as."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from google.protobuf.message import Message
from grpc import aio

from runtime.identity import HEADER, Principal, to_header
from runtime.load.plan import Plan
from runtime.load.traffic import P
from runtime.network import GrpcTransport, open_channel
from runtime.rpc import NOTHING, Call, Method, connect
from runtime.single import Messages
from runtime.tls import ClientTls, TlsFolder

SERVICE = "service:"
REACHED_WITHIN_S = 5.0


def principal_of(caller: str) -> Principal:
    """Return who calls as `caller`: "service:feed", or a person's role, "risk-officer".

    Whoever has a role may also look. The name, which is that of the certificate's files too, is
    the service's or, of a person, the word itself: "feed.pem", "risk-officer.pem".
    """
    if caller.startswith(SERVICE):
        name = caller.removeprefix(SERVICE)
        return Principal(name, service=name)
    return Principal(caller, frozenset({caller.upper().replace("-", "_"), "VIEWER"}))


class GrpcGround:
    """Calls over gRPC: one connection to each service, or with certificates one of each caller."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._channels: dict[tuple[str, str, str], aio.Channel] = {}

    def port(self, port: type[P], caller: str) -> P:
        """Return a client that calls as `caller`, with the contract's deadline, without repeats.

        Raises CertificateError when there is no certificate of the caller to be used.
        """
        service = str(port.DESCRIPTOR.full_name).split(".")[1]
        address = self.plan.target.address_of(service)
        principal = principal_of(caller)
        if not self.plan.target.certificates:
            channel = self._channels.get((address, "", ""))
            if channel is None:
                channel = self._channels[address, "", ""] = open_channel(address)
            return connect(port, _Once(channel, principal))
        folder = TlsFolder(Path(self.plan.target.certificates), self.plan.target.environment)
        tls = ClientTls(folder, principal.name)
        at = (address, service, principal.name)
        if at not in self._channels:
            name = tls.server_name(service)
            self._channels[at] = open_channel(address, tls.credentials(), server_name=name)
        return connect(port, _Once(self._channels[at], tls.principal))

    async def reach(self) -> None:
        """Return if somebody listens wherever clients were made for. Raises ValueError if not."""
        for address in dict.fromkeys(address for address, _, _ in self._channels):
            host, _, port = address.rpartition(":")
            try:
                async with asyncio.timeout(REACHED_WITHIN_S):
                    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            except OSError as error:  # Also when it takes too long.
                raise ValueError(
                    f"nobody listens at {address}: start the services, or give other --targets"
                ) from error
            writer.close()

    async def close(self) -> None:
        """Hang up."""
        for channel in self._channels.values():
            await channel.close()


class _Once:
    """A transport that adds deadline and identity, worked out once, and nothing else."""

    def __init__(self, channel: aio.Channel, caller: Principal) -> None:
        self._inner = GrpcTransport(channel)
        self._header = {HEADER: to_header(caller)}
        self._calls: dict[str, Call] = {}

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return the responses of the only attempt."""
        prepared = self._calls.get(method.path)
        if prepared is None:
            prepared = self._calls[method.path] = Call(method.policy.deadline_s, self._header)
        if call.timeout_s is not None or call.metadata is not NOTHING:
            timeout_s = prepared.timeout_s if call.timeout_s is None else call.timeout_s
            prepared = Call(timeout_s, {**call.metadata, **self._header})
        return self._inner.call(method, requests, prepared)
