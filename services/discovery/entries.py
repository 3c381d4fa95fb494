"""What is known of one instance, and what its status follows from. Plain values only."""

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from runtime.naming import Identity


class Status(IntEnum):
    """How an instance is, as others see it."""

    STARTING = 1
    SERVING = 2
    NOT_SERVING = 3
    DRAINING = 4
    SUSPECT = 5
    EXPIRED = 6
    GONE = 7


class Reported(IntEnum):
    """What an instance says of itself."""

    STARTING = 1
    SERVING = 2
    NOT_SERVING = 3
    DRAINING = 4


class State(IntEnum):
    """Whether the lease holds, and how it ended."""

    LIVE = 1
    EXPIRED = 2
    GONE = 3


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an instance is reached."""

    protocol: int
    host: str
    port: int

    @property
    def address(self) -> str:
        """Return "host:port", an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Spec:
    """What an instance says that it is."""

    service: str
    instance_name: str
    instance_id: str
    environment: str
    endpoints: tuple[Endpoint, ...]
    version: str = ""
    contract_digest: str = ""
    metadata: tuple[tuple[str, str], ...] = ()  # In order of the names.
    weight: int = 1
    schema_override: str = ""
    namespace_override: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One registration of an instance, as it was committed last."""

    spec: Spec
    identity: Identity
    lease_id: str
    fence: int
    ttl_ns: int
    since_ns: int  # When `status` became what it is.
    reported: Reported = Reported.STARTING
    is_reachable: bool = True  # Until probes have shown otherwise.
    is_suspect: bool = False
    state: State = State.LIVE
    ended_ns: int = 0  # 0: it has not.
    drain_reason: str = ""
    log_level: int = 0  # 0: as the instance likes.

    @property
    def is_live(self) -> bool:
        """Whether the lease holds: nobody else may get its names."""
        return self.state is State.LIVE

    @property
    def status(self) -> Status:
        """Return what others see: the worse of what it says and what discovery sees."""
        if self.state is not State.LIVE:
            return Status.EXPIRED if self.state is State.EXPIRED else Status.GONE
        if self.reported is not Reported.SERVING:
            return Status(self.reported)
        if not self.is_reachable:
            return Status.NOT_SERVING
        return Status.SUSPECT if self.is_suspect else Status.SERVING

    def changed(self, now_ns: int, **changes: Any) -> "Entry":
        """Return the entry after `changes`, which tells since when its status is what it is."""
        after = replace(self, **changes)
        return after if after.status is self.status else replace(after, since_ns=now_ns)


@dataclass(slots=True)
class Pulse:
    """The beats of one lease. They live in memory: a restart gives every lease its full length."""

    heard_ns: int  # The lease holds for its length from here.
    beat: int = 0  # The last one that was answered.
    answer: bytes = field(default=b"", repr=False)  # What it was answered.
    in_flight: int = 0
    loop_lag_ms: int = 0
    config_sequence: int = 0


def reported_after(before: Reported, said: Reported) -> Reported:
    """Return where an instance is that was at `before` and says `said` (D2).

    Nobody comes back from DRAINING, nor back to STARTING: who says so does not serve.
    """
    if Reported.DRAINING in (before, said):
        return Reported.DRAINING
    if said is Reported.STARTING and before is not Reported.STARTING:
        return Reported.NOT_SERVING
    return said
