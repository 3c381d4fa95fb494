"""The requests of one call as the body of an HTTP request."""

import asyncio
from collections.abc import AsyncIterator, Callable

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import ServiceError, refusal
from runtime.limits import request_bytes
from runtime.rest.codec import to_json
from runtime.rest.wire import JSON_BYTES_MAX
from runtime.rpc import Method


class Outgoing(AsyncIterator[bytes]):
    """The requests of a stream as lines; remembers why it broke, which aiohttp does not tell."""

    def __init__(self, method: Method, requests: AsyncIterator[Message]) -> None:
        self.broke: Exception | None = None
        self._method = method
        self._requests = requests
        self._has_begun = False
        self._hang_up: Callable[[], None] | None = None

    def on_break(self, hang_up: Callable[[], None]) -> None:
        """Call `hang_up` should the requests break: who waits for answers waits in vain."""
        self._hang_up = hang_up

    async def __anext__(self) -> bytes:
        if not self._has_begun:
            self._has_begun = True
            return b"\n"  # Headers travel with the first bytes; the first request may take long.
        try:
            return body(self._method, await anext(self._requests)) + b"\n"
        except StopAsyncIteration:
            raise
        except Exception as error:
            self.broke = error
            if self._hang_up is not None:
                asyncio.get_running_loop().call_soon(self._hang_up)
            raise

    def cause(self) -> ServiceError | None:
        """Return why the requests broke; None if they did not."""
        if self.broke is None or isinstance(self.broke, ServiceError):
            return self.broke
        text = f"the requests to {self._method.path} broke: {self.broke!r}"
        return refusal(StatusCode.UNKNOWN, "BUG", text, service=self._method.service)


def body(method: Method, request: Message) -> bytes:
    """Return `request` as JSON. Raises RESOURCE_EXHAUSTED, INVALID_ARGUMENT, nothing sent."""
    request_bytes(method, request)
    try:
        data = to_json(request)
    except (ValueError, TypeError) as error:
        raise refusal(
            StatusCode.INVALID_ARGUMENT,
            "NO_JSON",
            f"a request of {method.path} has no JSON: {error}; correct it, or call over gRPC",
            service=method.service,
        ) from error
    if len(data) > JSON_BYTES_MAX:
        raise refusal(
            StatusCode.RESOURCE_EXHAUSTED,
            "MESSAGE_TOO_LARGE",
            f"a request of {method.path} has {len(data)} bytes as JSON, must have at most "
            f"{JSON_BYTES_MAX}: send less at a time, or call over gRPC",
            service=method.service,
        )
    return data
