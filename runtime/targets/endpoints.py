"""Where a service listens: one endpoint, and what a connection to one must offer."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from runtime.rpc import Transport

WEIGHT_MAX = 100


class EndpointStatus(StrEnum):
    """Whether an endpoint may be called."""

    SERVING = "SERVING"
    SUSPECT = "SUSPECT"  # Not heard of for a while: the last choice.
    DRAINING = "DRAINING"  # Ends what it does and gets nothing new.


@dataclass(frozen=True)
class Endpoint:
    """One place where a service listens."""

    address: str  # "host:port", as gRPC takes it.
    weight: int = 1  # Its share of the calls, 1 to 100.
    zone: str = ""  # Where it stands; callers of the same zone prefer it.
    status: EndpointStatus = EndpointStatus.SERVING
    epoch: int = 0  # Rises with each life of the instance there, and each move of an owner.

    def __post_init__(self) -> None:
        """Refuse what can be no endpoint."""
        if not self.address:
            raise ValueError('an address is "", must be "host:port"')
        if not 1 <= self.weight <= WEIGHT_MAX:
            raise ValueError(
                f"the weight of {self.address} is {self.weight}, must be 1..{WEIGHT_MAX}"
            )


class Connection(Transport, Protocol):
    """A transport to one endpoint, opened for it alone."""

    @property
    def is_broken(self) -> bool:
        """Whether it is known to have no connection at the moment."""

    @property
    def is_connected(self) -> bool:
        """Whether it is known to have a connection."""

    async def close(self) -> None:
        """Close it; streams that still flow through it end."""
