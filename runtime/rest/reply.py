"""The answer of one call, while it is being written: one message, or lines that end with a mark."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import ServiceError, refusal
from runtime.limits import KEEPALIVE_S, response_bytes
from runtime.rest.codec import to_json, written
from runtime.rest.problems import headers_of, number_of, to_problem
from runtime.rest.wire import IDEMPOTENCY_KEY, JSON, JSON_BYTES_MAX, NDJSON, PROBLEM
from runtime.rpc import Method
from runtime.trace import REQUEST_ID, TRACEPARENT

END = b'{"end":{}}\n'
SERVER = "plimsoll"


class Reply:
    """Writes one answer; what fails before its first line still gets a status of its own."""

    def __init__(self, request: web.BaseRequest, method: Method | None = None) -> None:
        self.metadata: dict[str, str] = {}
        self.key = ""  # What made the request repeatable.
        self._request = request
        self._method = method
        self._stream: web.StreamResponse | None = None
        self._lines = 0

    def answer(self, message: Message) -> web.StreamResponse:
        """Return the whole answer of a unary call."""
        return web.Response(body=self._json(message), headers=self._headers(JSON))

    async def say(self, message: Message) -> None:
        """Write one message of a stream; returns when its reader has room for more."""
        self._lines += 1
        await self._write(b'{"message":' + self._json(message) + b"}\n")

    async def end(self) -> web.StreamResponse:
        """End a stream that said everything."""
        await self._write(END)
        return await self._ended()

    async def fail(self, error: ServiceError) -> web.StreamResponse:
        """End with an error: as the status if nothing was said yet, else as the last line."""
        problem = to_problem(error, self.metadata.get(REQUEST_ID, ""))
        if self._stream is not None:
            await self._write(written({"error": problem}) + b"\n")
            return await self._ended()
        headers = {**self._headers(PROBLEM), **headers_of(error)}
        response = web.Response(status=number_of(error), body=written(problem), headers=headers)
        if not self._request.content.is_eof():
            response.force_close()  # What is still to come would be taken for the next call.
        return response

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Give a sign of life in every silence of the block, so that a dead end is noticed."""
        beat = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beat.cancel()

    async def _beat(self) -> None:
        while True:
            said = self._lines
            await asyncio.sleep(KEEPALIVE_S)
            if said == self._lines:
                try:
                    await self._write(b"\n")
                except ConnectionError:
                    return  # Whoever writes the next message is told so.

    async def _write(self, line: bytes) -> None:
        if self._stream is None:
            self._stream = web.StreamResponse(headers=self._headers(NDJSON))
            self._stream.enable_chunked_encoding()
            await self._stream.prepare(self._request)
        await self._stream.write(line)

    async def _ended(self) -> web.StreamResponse:
        assert self._stream is not None
        if not self._request.content.is_eof():
            self._stream.force_close()
        await self._stream.write_eof()
        return self._stream

    def _json(self, message: Message) -> bytes:
        assert self._method is not None
        response_bytes(self._method, message)
        try:
            data = to_json(message)
        except (ValueError, TypeError) as error:
            raise refusal(
                StatusCode.INTERNAL,
                "NO_JSON",
                f"an answer of {self._method.path} has no JSON: {error}; call it over gRPC",
                service=self._method.service,
            ) from error
        if len(data) > JSON_BYTES_MAX:
            raise refusal(
                StatusCode.INTERNAL,
                "MESSAGE_TOO_LARGE",
                f"an answer of {self._method.path} has {len(data)} bytes as JSON, must have at "
                f"most {JSON_BYTES_MAX}: page, or call it over gRPC",
                service=self._method.service,
            )
        return data

    def _headers(self, content_type: str) -> dict[str, str]:
        headers = {"Content-Type": content_type, "Cache-Control": "no-store", "Server": SERVER}
        for name, key in (("X-Request-Id", REQUEST_ID), ("traceparent", TRACEPARENT)):
            if key in self.metadata:
                headers[name] = self.metadata[key]
        if self.key and self.key.isprintable() and self.key.isascii():
            headers[IDEMPOTENCY_KEY.title()] = self.key
        return headers
