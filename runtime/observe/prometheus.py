"""The metrics of a real process, as Prometheus scrapes them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from runtime.observe.declared import METRICS
from runtime.observe.exposition import exposed
from runtime.observe.memory import MemoryMetrics
from runtime.observe.metrics import Declared, Scrape


@dataclass(frozen=True)
class Instance:
    """Which instance this process is: on every series. Prometheus itself owns `instance`."""

    service: str  # The process: "orders", or the device's name when it hosts several services.
    instance_name: str
    version: str
    environment: str


class PrometheusMetrics(MemoryMetrics):
    """A metrics port with a registry of its own: process, garbage collection and platform, too."""

    def __init__(
        self,
        instance: Instance,
        declared: Iterable[Declared] = METRICS,
        *,
        is_strict: bool = False,
    ) -> None:
        super().__init__(declared, is_strict=is_strict)
        self.instance = instance
        self._labels = asdict(instance)
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def get_http_handler(self) -> Scrape:
        """Return what answers a scrape: the content type of OpenMetrics, and the text."""
        return self.handler

    def handler(self) -> tuple[str, bytes]:
        """Return the content type and the body of an answer to a scrape."""
        return exposed(self, self._labels, [self._registry])
