"""Where calls go: the endpoints of a service, which of them is chosen, and when none is asked.

    Client (deadline, repeats) -> Target = Breaker -> Pool -> one endpoint's transport

A `Target` is one service as its callers see it. Its `Resolver` says where the service is now;
its `Pool` keeps one connection per endpoint and chooses among them; its `Breaker` stops asking
a service that is silent. All times are those of the running event loop.
"""

from runtime.targets.breaker import Breaker, BreakerSettings, BreakerState
from runtime.targets.channels import ChannelConnection
from runtime.targets.endpoints import Connection, Endpoint, EndpointStatus
from runtime.targets.pool import Pool, PoolSettings
from runtime.targets.resolver import Resolution, Resolver
from runtime.targets.sources import (
    Added,
    Change,
    Changed,
    Dns,
    Removed,
    Snapshot,
    Source,
    Static,
    StillSo,
    Watched,
)
from runtime.targets.target import Target, TargetSettings

__all__ = [
    "Added",
    "Breaker",
    "BreakerSettings",
    "BreakerState",
    "Change",
    "Changed",
    "ChannelConnection",
    "Connection",
    "Dns",
    "Endpoint",
    "EndpointStatus",
    "Pool",
    "PoolSettings",
    "Removed",
    "Resolution",
    "Resolver",
    "Snapshot",
    "Source",
    "Static",
    "StillSo",
    "Target",
    "TargetSettings",
    "Watched",
]
