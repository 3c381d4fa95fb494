"""What a profile's traffic class is to the engine, and what the engine gives it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from runtime.errors import ServiceError
from runtime.load.plan import Plan
from runtime.rpc import Port

P = TypeVar("P", bound=Port)


class Meter(Protocol):
    """Takes down how units ended. Times are of the running event loop, in seconds."""

    def ended(
        self, series: str, intended_s: float, sent_s: float, error: ServiceError | None = None
    ) -> None:
        """Count one unit of `series` that ends now; `error` is why it failed."""

    def delivered(self, stream: str, sequence: int, age_s: float | None = None) -> None:
        """Count one message of a stream: its order, gaps, repeats, and how old it was."""


class Ground(Protocol):
    """Where traffic stands: whom it calls, its part of the run."""

    plan: Plan

    def port(self, port: type[P], caller: str) -> P:
        """Return a client that calls as `caller` ("trader", "service:feed"), with the contract's
        deadline and identity and without repeats, so that each call measured is one call.
        """


class Unit(NamedTuple):
    """One unit of the schedule: its number, and when it is due."""

    number: int
    intended_s: float


@dataclass(frozen=True)
class Remainder:
    """What a run left: units not done when it ended, lost or done twice, and named facts."""

    backlog: int = 0  # Sent, neither answered nor refused, when the last send was made,
    unresolved: int = 0  # and still BACKLOG_S later.
    lost: int = 0
    doubled: int = 0
    facts: dict[str, float] = field(default_factory=dict)  # "signals_per_s": 51.2


class Traffic(Protocol):
    """One profile's traffic. Built as `Class(ground, meter)` in the engine process."""

    async def prepare(self) -> None:
        """Make what the traffic needs (accounts, limits, instruments): repeatable, unmeasured."""

    async def send(self, number: int, intended_s: float) -> None:
        """Send unit `number` of the schedule; return once nothing of it occupies the caller.

        Says through the meter how it ended. The engine runs each send as a task of its own.
        """

    async def finish(self) -> Remainder:
        """Wait, at most BACKLOG_S, for what is under way; say what is left. Ends all streams."""


@runtime_checkable
class Gathering(Traffic, Protocol):
    """Traffic whose units go together, as many as are due within two milliseconds."""

    async def send_together(self, units: Sequence[Unit]) -> None:
        """Send units, at most TOGETHER_MAX: each with its own instant, and each with its end."""
