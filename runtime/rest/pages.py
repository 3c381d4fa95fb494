"""What an HTTP server answers beside calls: whether the process lives, is ready, and its metrics.

Each probe is a question that its owner answers; a page without one does not exist.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from runtime.rest.codec import written
from runtime.rest.wire import JSON

# Whether the answer is yes, and the document that says why.
Probe = Callable[[], Awaitable[tuple[bool, Mapping[str, Any]]]]
Metrics = Callable[[], tuple[str, bytes]]  # The content type, and the text.


@dataclass(frozen=True)
class Pages:
    """The questions that a process answers at fixed paths."""

    live: Probe | None = None  # /healthz/live: restart me if not.
    ready: Probe | None = None  # /healthz/ready: send me calls if so.
    startup: Probe | None = None  # /healthz/startup: ask the other two once this says yes.
    health: Probe | None = None  # /healthz: the whole story.
    metrics: Metrics | None = None  # /metrics

    def at(self, path: str) -> Callable[[], Awaitable[web.Response]] | None:
        """Return what answers a GET of `path`; None when nothing does."""
        if path == "/metrics" and self.metrics is not None:
            return self._metrics
        probe = {
            "/healthz/live": self.live,
            "/healthz/ready": self.ready,
            "/healthz/startup": self.startup,
            "/healthz": self.health,
        }.get(path)
        return None if probe is None else lambda: _answer(probe)

    async def _metrics(self) -> web.Response:
        assert self.metrics is not None
        content_type, text = self.metrics()
        headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
        return web.Response(body=text, headers=headers)


async def _answer(probe: Probe) -> web.Response:
    is_so, document = await probe()
    headers = {"Content-Type": JSON, "Cache-Control": "no-store"}
    return web.Response(status=200 if is_so else 503, body=written(document), headers=headers)
