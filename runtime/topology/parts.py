"""What a topology is made of: devices with their limits, and the links between them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from runtime.topology import units
from runtime.topology.findings import Wrong

MEMORY_MIN_BYTES = 192 * 2**20  # A process of one service takes up to 145 MiB before it works.
STORES = ("mysql", "redis")  # Every device reaches them, each over a link of its own.
EXCHANGE = "exchange"  # The venue: whoever calls it reaches it over a link.
FAR_ENDS = (*STORES, EXCHANGE)  # Names that links may name and devices may not have.
NAME = r"^[a-z][a-z0-9-]{0,39}$"


def _positive(value: Decimal | int) -> Decimal | int:
    if value <= 0:
        raise Wrong(fix="choose one above 0")
    return value


def _large_enough(value: int) -> int:
    if value < MEMORY_MIN_BYTES:
        raise Wrong(fix=f"give it at least {units.write_size(MEMORY_MIN_BYTES)}")
    return value


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise Wrong(fix="write it on one line, without control characters")
    return value


def _pair(value: object) -> object:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Wrong(fix="write [a, b]")
    return value


def ordered(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names in the one order that they have here, however a file lists them."""
    return tuple(sorted(names))


Name = Annotated[str, Field(pattern=NAME)]
Title = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_line)]
Names = Annotated[tuple[str, ...], AfterValidator(ordered)]
Cpus = Annotated[Decimal, BeforeValidator(units.number), AfterValidator(_positive)]
Memory = Annotated[int, BeforeValidator(units.size_in_bytes), AfterValidator(_large_enough)]
Latency = Annotated[float, BeforeValidator(units.seconds)]
Bandwidth = Annotated[int, BeforeValidator(units.bytes_per_second), AfterValidator(_positive)]
Pair = Annotated[tuple[str, str], BeforeValidator(_pair), AfterValidator(ordered)]


class Part(BaseModel):
    """A part of a file: values that do not change, and no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Device(Part):
    """A machine of its own: what it may use, what runs on it, what it takes over."""

    cpus: Cpus = Field(description="a number above 0, such as 1.5")
    memory_bytes: Memory = Field(
        alias="memory",
        description=f"at least {units.write_size(MEMORY_MIN_BYTES)}, such as 512 MiB",
    )
    services: Names = Field(description="a list of services")
    standbys: Names = Field(
        (), description="a list of services that it takes over when their device is lost"
    )


class Line(Part):
    """How a link behaves when nothing is wrong with it."""

    latency_s: Latency = Field(
        alias="latency", description="a time one way, in ms or s, such as 0.5 ms"
    )
    bandwidth_bytes_s: Bandwidth = Field(
        alias="bandwidth", description="a rate each way, above 0, such as 1 Gbit/s"
    )


class Link(Line):
    """The line between two places; it is the same in both directions."""

    between: Pair = Field(description="a pair of devices, or of a device and a far end")


@dataclass(frozen=True)
class Channel:
    """The way on which one place calls another, and the line that it takes."""

    caller: str  # A device.
    callee: str  # A device, or one of FAR_ENDS.
    line: Line
    calls: tuple[tuple[str, str], ...] = ()  # What goes over it: (service, service it calls).

    @property
    def name(self) -> str:
        """The name of its proxy."""
        return f"{self.caller}->{self.callee}"
