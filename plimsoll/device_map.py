"""The picture of a topology, as SVG text that needs nothing from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from plimsoll.device_boxes import MARGIN, Box, boxes_of
from plimsoll.device_wires import label_of, tracks_for, wired, wires_of
from runtime.topology import EXCHANGE, STORES, Calls, Topology

TEMPLATE = "device_map.svg.jinja"
TITLE, LEGEND = 44, 40
BAR, BAR_ABOVE, BAR_GAP = 28, 40, 26
WIDTH_MIN = 620  # Room for the legend.


@dataclass(frozen=True)
class Drop:
    """The link of a device to a store."""

    x: float
    top: float
    bottom: float
    label: str  # Empty where the line is like most others.
    tip: str


@dataclass(frozen=True)
class Bar:
    """A store, below all devices that reach it."""

    name: str
    x: float
    y: float
    width: float
    drops: tuple[Drop, ...]


def draw(topology: Topology, known: Calls) -> str:
    """Return the picture; `known` says which service calls which.

    The same topology gives the same text.
    """
    channels = topology.channels(known)
    has_venue = any(channel.callee == EXCHANGE for channel in channels)
    places = (*topology.devices, *((EXCHANGE,) if has_venue else ()))
    pairs = wired(channels, places)
    tracks = tracks_for(list(pairs))
    boxes = boxes_of(topology, with_venue=has_venue, top=TITLE + tracks.height)
    devices = [box for box in boxes if not box.is_venue]
    bars, usual = _bars(topology, devices), label_of(topology.default_link)
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment.get_template(TEMPLATE).render(
        topology=topology,
        boxes=boxes,
        bars=bars,
        wires=wires_of(pairs, boxes, tracks, usual),
        usual=usual,
        margin=MARGIN,
        width=max(boxes[-1].right + MARGIN, WIDTH_MIN),
        height=bars[-1].y + BAR + LEGEND + MARGIN,
        bar_height=BAR,
    )


def _bars(topology: Topology, devices: Sequence[Box]) -> tuple[Bar, ...]:
    x, width = devices[0].x, devices[-1].right - devices[0].x
    bars = []
    for n, store in enumerate(STORES):
        y = devices[0].bottom + BAR_ABOVE + n * (BAR + BAR_GAP)
        drops = tuple(_drop(topology, device, store, n, y) for device in devices)
        bars.append(Bar(store, x, y, width, drops))
    return tuple(bars)


def _drop(topology: Topology, device: Box, store: str, n: int, bar_y: float) -> Drop:
    line, usual = topology.line_between(device.name, store), label_of(topology.default_link)
    label = label_of(line)
    x = device.x + device.width * (n + 1) / (len(STORES) + 1)
    shown = "" if label == usual else label
    return Drop(x, device.bottom, bar_y, shown, f"{device.name}->{store}: {label}")
