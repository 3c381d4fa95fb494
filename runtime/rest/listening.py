"""HTTP connections whose broken requests are answered like all others: as a problem document."""

import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from grpc import StatusCode

from runtime.rest.codec import written
from runtime.rest.problems import HttpRefusal, headers_of, to_problem
from runtime.rest.wire import HEADERS_BYTES_MAX, PROBLEM, URL_BYTES_MAX

log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """One connection."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to what could not be read as HTTP."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun, so no other can be sent")
        error = _refusal(exc)
        if error is None:
            log.error("bug in answering %s", request.path, exc_info=exc)
            error = HttpRefusal(500, StatusCode.UNKNOWN, "BUG", "the server failed: see its log")
        headers = {"Content-Type": PROBLEM, "Cache-Control": "no-store", **headers_of(error)}
        body = written(to_problem(error, ""))
        response = web.Response(status=error.status, body=body, headers=headers)
        response.force_close()
        return response


class Listening(web.Server):
    """Makes a connection for each client that dials in."""

    _kwargs: dict[str, Any]

    def __call__(self) -> Connection:
        """Return a connection."""
        return Connection(self, loop=self._loop, **self._kwargs)


def _refusal(error: BaseException | None) -> HttpRefusal | None:
    if isinstance(error, LineTooLong):
        if error.args[1] == URL_BYTES_MAX:
            return url_too_long()
        return HttpRefusal(
            431,
            StatusCode.RESOURCE_EXHAUSTED,
            "HEADERS_TOO_LARGE",
            f"a header has more than {HEADERS_BYTES_MAX} bytes: send less",
        )
    if isinstance(error, BadHttpMessage):
        text = f"the request is not HTTP/1.1: {str(error)[:200]}"
        return HttpRefusal(400, StatusCode.INVALID_ARGUMENT, "UNREADABLE_HTTP", text)
    return None


def url_too_long() -> HttpRefusal:
    """Return the refusal of an address that is too long."""
    text = f"the URL has more than {URL_BYTES_MAX} bytes: what is asked belongs into the body"
    return HttpRefusal(414, StatusCode.INVALID_ARGUMENT, "URL_TOO_LONG", text)
