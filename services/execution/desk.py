"""What everybody who works on executions shares."""

from dataclasses import dataclass

from runtime.environment import Environment
from services.execution.venue import VenueLink


@dataclass(frozen=True, slots=True)
class Desk:
    """The service's environment, the key that risk signs with, and the venue."""

    environment: Environment
    approval_key: bytes
    link: VenueLink

    def now_ns(self) -> int:
        """Return the service's time."""
        return self.environment.clock.now_ns()
