"""What a server asks of whoever comes in, before anything is answered."""

import inspect
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from grpc import aio

from runtime.errors import ServiceError
from runtime.identity import received
from runtime.rpc import Call
from runtime.status import short, to_trailing

if TYPE_CHECKING:
    from runtime.tls import ServerTls  # Only who uses it pays for what reads certificates.

    Context = aio.ServicerContext[Any, Any]  # Generic in the type stubs only.

LOOPBACK = re.compile(
    r"unix(-abstract)?:.+|(ipv4:|dns:)?(127\.\d+\.\d+\.\d+|localhost)(:\d+)?|(ipv6:)?\[::1\](:\d+)?"
)


class Door:
    """Lets calls in. With `tls` only of peers that have an identity, and it tells which."""

    def __init__(self) -> None:
        self.tls: ServerTls | None = None

    def received(self, context: "Context") -> Call:
        """Return the call that arrives. Raises UNAUTHENTICATED when its peer is nobody."""
        peer = None if self.tls is None else self.tls.peer(context.auth_context())
        metadata = received(context.invocation_metadata() or (), peer)
        return Call(context.time_remaining(), metadata).started()

    async def admit(self, context: "Context") -> None:
        """End the call that arrives as UNAUTHENTICATED when its peer is nobody."""
        try:
            self.received(context)
        except ServiceError as error:
            await abort(context, error)


class Admitted:
    """A servicer of gRPC's own (health, reflection) that answers only who is let in."""

    def __init__(self, servicer: object, door: Door) -> None:
        self._servicer, self._door = servicer, door

    def __getattr__(self, name: str) -> Any:
        """Return a method of the servicer that begins at the door."""
        function, door = getattr(self._servicer, name), self._door

        async def single(request: Any, context: "Context") -> Any:
            await door.admit(context)
            return await function(request, context)

        async def stream(requests: Any, context: "Context") -> AsyncIterator[Any]:
            await door.admit(context)
            async for answer in function(requests, context):
                yield answer

        return stream if inspect.isasyncgenfunction(function) else single


async def abort(context: "Context", error: ServiceError) -> None:
    """End a call with `error`."""
    await context.abort(error.code, short(error.message), to_trailing(error))


def check_plain_text(address: str, *, is_allowed: bool) -> None:
    """Raise ValueError when others than this machine would reach `address` in clear text."""
    if not is_allowed and not LOOPBACK.fullmatch(address):
        raise ValueError(
            f"address is {address!r}, must be on this machine (127.0.0.1) while calls travel in "
            "clear text: listen with ServerTls, or say is_plain_text_allowed"
        )
