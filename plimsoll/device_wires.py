"""The wires of a drawn topology: each pair of boxes has a track above the row."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plimsoll.device_boxes import Box
from runtime.topology import Channel, Line
from runtime.topology.units import write_rate, write_seconds

TRACK, CLEARANCE, CORNER = 20, 26, 6  # Between tracks, above the boxes, of a bend.
LETTER = 5.8  # Of a label's text, on average.
DISCOVERY = "discovery"
Ends = tuple[int, int]  # Two boxes by their place in the row, the left one first.


@dataclass(frozen=True)
class Wire:
    """What joins two boxes."""

    path: str
    label: str  # Empty where the line is like most others.
    label_x: float  # Its middle.
    label_y: float
    label_width: float
    to_left: bool  # Whether the box on the left is called; the same for the right one.
    to_right: bool
    is_quiet: bool  # Whether only discovery uses it.
    tip: str  # What goes over it.


@dataclass(frozen=True)
class Tracks:
    """How much room the wires need above the row, and which wire takes which track."""

    of: Mapping[Ends, int]

    @property
    def height(self) -> float:
        """What the picture needs above the boxes."""
        return CLEARANCE + TRACK * (max(self.of.values(), default=-1) + 1)


def wired(channels: Sequence[Channel], places: Sequence[str]) -> dict[Ends, list[Channel]]:
    """Return the channels between places of the row, by pair."""
    found: defaultdict[Ends, list[Channel]] = defaultdict(list)
    for channel in channels:
        if channel.callee in places:
            ends = sorted((places.index(channel.caller), places.index(channel.callee)))
            found[(ends[0], ends[1])].append(channel)
    return dict(found)


def tracks_for(pairs: Sequence[Ends]) -> Tracks:
    """Return a track for each pair: short ones low, and none over another on the same track."""
    taken: defaultdict[int, list[Ends]] = defaultdict(list)
    found: dict[Ends, int] = {}
    for left, right in sorted(pairs, key=lambda pair: (pair[1] - pair[0], pair)):
        track = 0
        while any(left < b and a < right for a, b in taken[track]):
            track += 1
        taken[track].append((left, right))
        found[(left, right)] = track
    return Tracks(found)


def wires_of(
    pairs: Mapping[Ends, Sequence[Channel]], boxes: Sequence[Box], tracks: Tracks, usual: str
) -> list[Wire]:
    """Return the wires; one whose label is the usual one goes without."""
    feet = _feet(list(pairs), boxes)
    found = []
    for (left, right), channels in sorted(pairs.items()):
        start, end = feet[(left, right)]
        top = boxes[left].y
        level = top - CLEARANCE - TRACK * tracks.of[(left, right)]
        label = label_of(channels[0].line)
        callees = {channel.callee for channel in channels}
        calls = [call for channel in channels for call in channel.calls]
        found.append(
            Wire(
                path=_path(start, end, top, level),
                label="" if label == usual else label,
                label_x=(start + end) / 2,
                label_y=level,
                label_width=len(label) * LETTER + 6,
                to_left=boxes[left].name in callees,
                to_right=boxes[right].name in callees,
                is_quiet=all(DISCOVERY in call for call in calls),
                tip="; ".join(_tip(channel) for channel in channels),
            )
        )
    return found


def label_of(line: Line) -> str:
    """Return what a link is like."""
    return f"{write_seconds(line.latency_s)}, {write_rate(line.bandwidth_bytes_s)}"


def _feet(pairs: Sequence[Ends], boxes: Sequence[Box]) -> dict[Ends, tuple[float, float]]:
    """Return where each wire stands on its two boxes, spread so that few wires cross.

    On a box, the wires to the left stand left with the nearest outermost, those to the right
    likewise: near tracks are low, so they turn off before the far ones come down.
    """
    feet: dict[tuple[int, Ends], float] = {}
    for place, box in enumerate(boxes):
        leftward = sorted((p for p in pairs if p[1] == place), key=lambda p: -p[0])
        rightward = sorted((p for p in pairs if p[0] == place), key=lambda p: -p[1])
        both = [*leftward, *rightward]
        for n, pair in enumerate(both):
            feet[(place, pair)] = box.x + box.width * (n + 1) / (len(both) + 1)
    return {pair: (feet[(pair[0], pair)], feet[(pair[1], pair)]) for pair in pairs}


def _path(start: float, end: float, top: float, level: float) -> str:
    r = CORNER
    return (
        f"M{start:.1f},{top:.1f} V{level + r:.1f} q0,{-r} {r},{-r} "
        f"H{end - r:.1f} q{r},0 {r},{r} V{top:.1f}"
    )


def _tip(channel: Channel) -> str:
    calls = ", ".join(f"{caller} to {called}" for caller, called in channel.calls)
    return f"{channel.name}: {calls}".replace("* to", "every device to")
