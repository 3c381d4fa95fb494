"""What discovery keeps is the same on every store: the rules of its store functions."""

from dataclasses import replace

import pytest
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.naming import identity_of
from runtime.stores.tests.contract import (
    STORES,
    Script,
    chosen,
    compare,
    reading_everything,
    uncalled,
)
from services.discovery import store
from services.discovery import tables as t
from services.discovery.entries import Endpoint, Entry, Reported, Spec, State
from services.discovery.registry import Ended, Known

pytestmark = pytest.mark.real_time
HUGE = 2**62


def entry(number: int, name: str = "orders") -> Entry:
    spec = Spec(
        service="orders",
        instance_name=name,
        instance_id=f"instance-{number}",
        environment="production",
        endpoints=(Endpoint(1, "hôte", 50051), Endpoint(2, "fe80::1", 8080)),
        metadata=(("zone", "Ω"),),
        weight=100,
        schema_override="apart",
    )
    identity = identity_of("orders", name).overridden(schema="apart")
    return Entry(spec, identity, f"lease-{number}", number, 15 * 10**9, since_ns=HUGE)


async def entries_come_back_as_they_were(do: Script) -> None:
    first, second = entry(1), entry(2, "orders-LH")
    await do(store.put, None, first, 7)
    await do(store.put, None, second, 8)
    changed = replace(
        first,
        reported=Reported.DRAINING,
        is_reachable=False,
        is_suspect=True,
        drain_reason="naïve",
        log_level=3,
    )
    gone = replace(second, state=State.GONE, ended_ns=HUGE)
    await do(store.put, first, changed, 9)
    await do(store.put, second, gone, HUGE)
    await do(store.put_counters, HUGE, 3)
    found = await do(store.load)
    assert found.entries == {"instance-1": changed, "instance-2": gone}
    assert (found.fence, found.sequence) == (HUGE, 3)
    assert list(found.pulses) == ["lease-1"]
    assert found.leases["lease-2"] == Known("instance-2", 2, HUGE)


async def a_later_registration_ends_the_former_lease(do: Script) -> None:
    former = entry(3)
    later = replace(former, lease_id="lease-4", fence=4, since_ns=77)
    await do(store.put, None, former, 5)
    await do(store.put, former, later, 6)
    found = await do(store.load)
    assert found.entries["instance-3"] == later
    assert found.leases["lease-3"] == Known("instance-3", 3, 77)
    assert found.leases["lease-4"] == Known("instance-3", 4, 0)


async def changes_are_read_from_behind_a_sequence(do: Script) -> None:
    assert await do(store.kept_after, 12) == 12
    changes = {
        number: pb.InstanceChange(kind=pb.CHANGE_KIND_ADDED, instance=pb.Instance(fence=number))
        for number in (1, 2, 3)
    }
    await do(store.add_events, changes, 50)
    await do(store.add_events, {}, 51)
    await do(store.add_events, {4: pb.InstanceChange()}, HUGE)
    found = await do(store.events_after, 1, 2)
    assert found == [(2, changes[2]), (3, changes[3])]
    assert await do(store.kept_after, 4) == 0


async def what_ended_is_forgotten_and_the_numbers_stay(do: Script) -> None:
    ended = Ended(("lease-2", "lease-3"), ("instance-2",))
    await do(store.forget, ended, events_until_ns=50)
    await do(store.forget, Ended((), ()), events_until_ns=0)
    found = await do(store.load)
    assert sorted(found.leases) == ["lease-1", "lease-4"]
    assert sorted(found.entries) == ["instance-1", "instance-3"]
    assert (found.fence, found.sequence) == (HUGE, 3)
    assert await do(store.kept_after, 4) == 3


RULES = (
    entries_come_back_as_they_were,
    a_later_registration_ends_the_former_lease,
    changes_are_read_from_behind_a_sequence,
    what_ended_is_forgotten_and_the_numbers_stay,
)
READ_WHOLE = {"services.discovery.store.load"}  # At the start, once.


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """Each store that is compared with the one in memory."""
    return chosen(request)


async def test_every_store_answers_as_memory_does(
    kind: str, request: pytest.FixtureRequest
) -> None:
    await compare(kind, request, t.metadata, RULES)


async def test_no_store_function_is_without_a_rule() -> None:
    assert await uncalled("services.discovery", t.metadata, RULES) == set()


async def test_no_table_that_grows_is_read_whole() -> None:
    assert await reading_everything(t.metadata, RULES) == READ_WHOLE
