"""What a device answers to a GET: whether it lives, is ready, how it is, and its metrics.

Importing this imports aiohttp: only a device that speaks HTTP does.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from trading.health.v1 import health_pb2 as pb
from trading.health.v1.health_port import HealthService

from runtime.rest import Pages

if TYPE_CHECKING:
    from runtime.observe.telemetry import Telemetry

LAG_S_MAX = 2.0  # An event loop that is later than this is stuck.


@dataclass(frozen=True)
class Standing:
    """Which services of a device answer, and which do not that are meant to at the moment."""

    answering: Collection[str]
    missing: Collection[str]
    has_started: bool = True
    is_draining: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether it is to be sent calls."""
        return self.has_started and not self.missing and not self.is_draining

    def document(self) -> dict[str, Any]:
        """Return what a page says of it."""
        return {
            "answering": sorted(self.answering),
            "missing": sorted(self.missing),
            "has_started": self.has_started,
            "is_draining": self.is_draining,
        }


class DevicePages:
    """Answers for one device; `whole` tells how it stands."""

    def __init__(self, device: str, whole: Callable[[], Standing], health: HealthService) -> None:
        self._device = device
        self._whole = whole
        self._health = health

    def pages(self, telemetry: "Telemetry | None") -> Pages:
        """Return the pages; those of metrics only where something is counted."""
        metrics = telemetry.metrics.get_http_handler() if telemetry else None
        return Pages(self._live, self._ready, self._startup, self._story, metrics)

    async def _live(self) -> tuple[bool, Mapping[str, Any]]:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        await asyncio.sleep(0)
        lag_s = loop.time() - due_s
        return lag_s < LAG_S_MAX, {"device": self._device, "loop_lag_s": round(lag_s, 6)}

    async def _ready(self) -> tuple[bool, Mapping[str, Any]]:
        whole = self._whole()
        return whole.is_ready, {"device": self._device, **whole.document()}

    async def _startup(self) -> tuple[bool, Mapping[str, Any]]:
        whole = self._whole()
        return whole.has_started, {"device": self._device, "missing": sorted(whole.missing)}

    async def _story(self) -> tuple[bool, Mapping[str, Any]]:
        is_ready, document = await self._ready()
        told = await self._health.get_health(pb.GetHealthRequest())
        return is_ready, {**document, **MessageToDict(told, preserving_proto_field_name=True)}
