"""A drawn topology has everything in it once, with nothing on top of anything else."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from fixtures.calls import SERVICES, calls
from plimsoll.device_boxes import boxes_of
from plimsoll.device_map import draw
from plimsoll.device_wires import tracks_for, wired, wires_of
from runtime.topology import STORES, Calls, Topology, load, names
from runtime.topology.tests.drawing import calls as drawn_calls
from runtime.topology.tests.drawing import topologies

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    """Return every text of a picture."""
    root = ElementTree.fromstring(picture)
    return [element.text or "" for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", names())
def test_every_device_service_and_store_is_drawn_once(name: str) -> None:
    topology = load(name, SERVICES)
    shown = texts(draw(topology, calls()))
    stands_by = any(device.standbys for device in topology.devices.values())
    for service in SERVICES:
        title = service in topology.devices
        assert shown.count(service) == 1 + stands_by + title, service
    assert all(shown.count(store) == 1 for store in STORES)
    assert shown.count("exchange") == 1


def test_the_same_topology_is_drawn_as_the_same_text() -> None:
    topology = load("per-service", SERVICES)
    assert draw(topology, calls()) == draw(topology, dict(reversed(list(calls().items()))))


@settings(max_examples=25)
@given(topologies(), drawn_calls)
def test_any_topology_is_drawn_as_a_picture(topology: Topology, known: Calls) -> None:
    shown = texts(draw(topology, known))
    assert shown[0] == topology.name
    assert all(device in shown for device in topology.devices)


@settings(max_examples=25)
@given(topologies(), drawn_calls)
def test_no_wire_lies_on_another_and_every_pair_has_one(topology: Topology, known: Calls) -> None:
    places = tuple(topology.devices)
    pairs = wired(topology.channels(known), places)
    ends = {tuple(sorted(map(places.index, pair))) for pair in topology.remote_pairs(known)}
    assert set(pairs) == ends
    tracks = tracks_for(list(pairs))
    boxes = boxes_of(topology, with_venue=False, top=100)
    wires = wires_of(pairs, boxes, tracks, "")
    feet = sorted(x for wire in wires for x in _ends(wire.path))
    assert all(right - left > 1 for left, right in pairwise(feet))
    for level in {wire.label_y for wire in wires}:
        spans = sorted(_ends(wire.path) for wire in wires if wire.label_y == level)
        assert all(left[1] < right[0] for left, right in pairwise(spans))
    assert all(left.right < right.x for left, right in pairwise(boxes))


def _ends(path: str) -> tuple[float, float]:
    """Return where a wire starts and ends, from left to right."""
    start, across = path[1:].split(",")[0], path.split("H")[1].split(" ")
    return float(start), float(across[0]) + float(across[1].split(",")[0].removeprefix("q"))
