"""The boxes of a drawn topology: devices with their services, in a row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runtime.topology import EXCHANGE, Device, Topology
from runtime.topology.units import write_size

MARGIN, PAD = 28, 12
WIDE, NARROW, WIDE_MAX_DEVICES = 250, 158, 4
GAP_WIDE, GAP_NARROW = 120, 34
HEAD, CHIP, CHIP_GAP, CAPTION = 50, 22, 6, 20
# The width of a letter on average, a little more than most fonts need: of chips and of names.
LETTER, NAME_LETTER = 6.9, 8.6


@dataclass(frozen=True)
class Chip:
    """A service in a box."""

    text: str
    x: float
    y: float
    width: float
    is_standby: bool = False


@dataclass(frozen=True)
class Box:
    """A place in the row: a device, or the venue."""

    name: str
    note: str  # Below the name: what the device may use.
    x: float
    y: float
    width: float
    height: float
    chips: tuple[Chip, ...] = ()
    caption_y: float = 0  # Above the standbys; 0: there are none.

    @property
    def right(self) -> float:
        """Where the box ends."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Where the box ends, below."""
        return self.y + self.height

    @property
    def is_venue(self) -> bool:
        """Whether the box is no device of ours."""
        return self.name == EXCHANGE


def boxes_of(topology: Topology, *, with_venue: bool, top: float) -> tuple[Box, ...]:
    """Return the boxes from left to right, as the file has them; the venue is the last."""
    is_wide = len(topology.devices) <= WIDE_MAX_DEVICES
    width, gap = (WIDE, GAP_WIDE) if is_wide else (NARROW, GAP_NARROW)
    width = max(width, round(max(map(len, topology.devices)) * NAME_LETTER) + 2 * PAD)
    boxes: list[Box] = []
    for n, (name, device) in enumerate(topology.devices.items()):
        boxes.append(_box(name, device, (MARGIN + n * (width + gap), top), width))
    height = max(box.height for box in boxes)
    boxes = [replace(box, height=height) for box in boxes]
    if with_venue:
        x = MARGIN + len(boxes) * (width + gap)
        boxes.append(Box(EXCHANGE, "the venue", x, top, NARROW, HEAD))
    return tuple(boxes)


def _box(name: str, device: Device, corner: tuple[float, float], width: float) -> Box:
    x, top = corner
    chips, y = _chips(device.services, (x + PAD, top + HEAD), width - 2 * PAD)
    caption_y = 0.0
    if device.standbys:
        caption_y = y + CAPTION - 6
        standing, y = _chips(
            device.standbys, (x + PAD, y + CAPTION), width - 2 * PAD, is_standby=True
        )
        chips = (*chips, *standing)
    noun = "CPU" if device.cpus == 1 else "CPUs"
    note = f"{device.cpus} {noun}, {write_size(device.memory_bytes)}"
    return Box(name, note, x, top, width, y - top + PAD - CHIP_GAP, chips, caption_y)


def _chips(
    services: Sequence[str], corner: tuple[float, float], width: float, *, is_standby: bool = False
) -> tuple[tuple[Chip, ...], float]:
    """Return services side by side in as many rows as they need, and where the last row ends."""
    left, y = corner
    x, found = left, list[Chip]()
    for service in services:
        need = round(len(service) * LETTER + 16, 1)
        if x > left and x + need > left + width:
            x, y = left, y + CHIP + CHIP_GAP
        found.append(Chip(service, x, y, need, is_standby))
        x += need + CHIP_GAP
    return tuple(found), y + (CHIP + CHIP_GAP if found else 0)
