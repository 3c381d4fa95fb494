"""What holds of every topology. The oracle of channels is a walk over all calls of all services."""

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.topology import EVERY_DEVICE, EXCHANGE, STORES, Calls, Topology, dump, parse
from runtime.topology.tests.drawing import calls, topologies
from runtime.topology.tests.files import SERVICES


def walked(topology: Topology, known: Calls) -> set[tuple[str, str, str, str]]:
    """Return caller, callee, service and called of each call between two places."""
    homes = {service: topology.home_of(service) for service in topology.services}
    made = [(homes[s], s, called) for s in homes for called in known.get(s, ())]
    for device in topology.devices:
        made += [(device, EVERY_DEVICE, called) for called in known.get(EVERY_DEVICE, ())]
    ends = {**homes, EXCHANGE: EXCHANGE}
    return {(a, ends[to], s, to) for a, s, to in made if to in ends and ends[to] != a}


@settings(max_examples=60)
@given(topologies())
def test_a_topology_that_is_written_is_read_as_the_same(topology: Topology) -> None:
    assert parse(dump(topology), SERVICES, "x.yaml") == topology


@settings(max_examples=60)
@given(topologies())
def test_every_service_has_one_home_and_its_standby_is_another(topology: Topology) -> None:
    for service in SERVICES:
        having = [n for n, device in topology.devices.items() if service in device.services]
        assert having == [topology.home_of(service)]
        assert topology.standby_of(service) != topology.home_of(service)


@settings(max_examples=60)
@given(topologies(), calls)
def test_channels_are_what_calls_need_and_no_more(topology: Topology, known: Calls) -> None:
    channels = topology.channels(known)
    carried = {(c.caller, c.callee, *call) for c in channels for call in c.calls}
    assert carried == walked(topology, known)
    empty = {(c.caller, c.callee) for c in channels if not c.calls}
    assert empty == {(device, store) for device in topology.devices for store in STORES}
    assert len({c.name for c in channels}) == len(channels)
    assert [c.name for c in channels] == [
        f"{c.caller}->{c.callee}" for c in sorted(channels, key=lambda c: (c.caller, c.callee))
    ]
    between = {(c.caller, c.callee) for c in channels if c.callee in topology.devices}
    assert set(topology.remote_pairs(known)) == between


@settings(max_examples=60)
@given(topologies(), calls, st.data())
def test_after_a_loss_everything_that_had_a_standby_runs_there(
    topology: Topology, known: Calls, data: st.DataObject
) -> None:
    lost = data.draw(st.sampled_from(list(topology.devices)))
    after = topology.without(lost)
    for service in SERVICES:
        home, standby = topology.home_of(service), topology.standby_of(service)
        where = after.home_of(service) if service in after.services else None
        assert where == (standby if home == lost else home)
    needed = {c.name for c in after.channels(known)}
    assert needed <= {c.name for c in topology.channels(known, with_standbys=True)}


@settings(max_examples=60)
@given(topologies(), st.sampled_from(SERVICES), st.data())
def test_a_service_that_moves_over_and_back_leaves_no_trace(
    topology: Topology, service: str, data: st.DataObject
) -> None:
    to = data.draw(st.sampled_from(list(topology.devices)))
    over = topology.moved(service, to)
    assert over.home_of(service) == to
    home = topology.home_of(service)
    assert over.standby_of(service) == (home if to != home else topology.standby_of(service))
    back = over.moved(service, home)
    assert {s: back.home_of(s) for s in SERVICES} == {s: topology.home_of(s) for s in SERVICES}
