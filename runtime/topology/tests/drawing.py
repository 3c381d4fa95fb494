"""Topologies at random: up to five devices that together have a home for every service."""

from typing import Any

from hypothesis import strategies as st

from runtime.topology import FAR_ENDS, Calls, Topology
from runtime.topology.tests.files import SERVICES

device_names = st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True).filter(
    lambda name: name not in FAR_ENDS
)
lines = st.fixed_dictionaries(
    {
        "latency": st.builds("{} ms".format, st.integers(0, 500)),
        "bandwidth": st.builds("{} kbit/s".format, st.integers(1, 10**7)),
    }
)
titles = st.text(st.characters(categories=("L", "P", "Nd")), min_size=1, max_size=100)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Draw a topology in which every device has something to do."""
    offered = draw(st.lists(device_names, min_size=1, max_size=5, unique=True))
    homes = {service: draw(st.sampled_from(offered)) for service in SERVICES}
    takers = {service: draw(st.sampled_from([None, *offered])) for service in SERVICES}
    takers = {service: name for service, name in takers.items() if name != homes[service]}
    devices = [name for name in offered if name in {*homes.values(), *takers.values()}]
    ends = st.tuples(st.sampled_from(devices), st.sampled_from([*devices, *FAR_ENDS]))
    joined = {tuple(sorted(pair)) for pair in draw(st.sets(ends, max_size=6))}
    data: dict[str, Any] = {
        "name": draw(device_names),
        "title": draw(titles),
        "devices": {
            name: {
                "cpus": str(draw(st.integers(1, 64)) / 4),
                "memory": f"{draw(st.integers(192, 4096))} MiB",
                "services": [s for s, home in homes.items() if home == name],
                "standbys": [s for s, taker in takers.items() if taker == name],
            }
            for name in devices
        },
        "default_link": draw(lines),
        "links": [{"between": [*p], **draw(lines)} for p in sorted(joined) if p[0] != p[1]],
    }
    return Topology.model_validate(data)


callees = st.lists(st.sampled_from([*SERVICES, "exchange", "nobody"]), max_size=4, unique=True)
calls: st.SearchStrategy[Calls] = st.dictionaries(
    st.sampled_from([*SERVICES, "*", "nobody"]), callees.map(tuple), max_size=6
)
