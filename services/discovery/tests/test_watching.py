"""Watches: a snapshot, then every change, without a gap; who applies them has the list."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from grpc import StatusCode
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.errors import ServiceError
from services.discovery.tests.rig import Instance, Rig, Watcher

NAMES = ("orders", "orders-LH", "risk", "strategy", "marketdata", "portfolio", "execution")


async def test_first_comes_a_heartbeat_with_all_that_live() -> None:
    rig = await Rig.started()
    gone, risk = await rig.register("orders"), await rig.register("risk")
    await rig.leave(gone)
    watcher = Watcher(rig.viewer, pb.WatchInstancesRequest())
    await asyncio.sleep(2.5)
    first, *others = watcher.messages
    assert first.is_heartbeat
    assert first.sequence == 5  # Two came, both served, one left.
    assert [each.spec.instance_id for each in first.snapshot] == [risk.id]
    assert [(m.is_heartbeat, m.sequence, len(m.snapshot)) for m in others] == [(True, 5, 0)] * 2
    await watcher.stop()
    await rig.service.stop()


async def test_changes_come_in_order_with_their_kind() -> None:
    rig = await Rig.started()
    watcher = Watcher(rig.viewer, pb.WatchInstancesRequest())
    orders = await rig.register("orders")
    await rig.beat(orders)
    await rig.beat(orders, pb.REPORTED_STATUS_NOT_SERVING)
    await asyncio.sleep(16)
    changes = [m for m in watcher.messages if m.HasField("change")]
    assert [m.sequence for m in changes] == [1, 2, 3, 4]
    seen = [(m.change.kind, m.change.instance.status) for m in changes]
    assert seen == [
        (pb.CHANGE_KIND_ADDED, pb.INSTANCE_STATUS_STARTING),
        (pb.CHANGE_KIND_CHANGED, pb.INSTANCE_STATUS_SERVING),
        (pb.CHANGE_KIND_CHANGED, pb.INSTANCE_STATUS_NOT_SERVING),
        (pb.CHANGE_KIND_REMOVED, pb.INSTANCE_STATUS_EXPIRED),
    ]
    assert watcher.known == {}
    await watcher.stop()
    await rig.service.stop()


async def test_a_watch_may_be_for_some_services_of_one_environment() -> None:
    rig = await Rig.started()
    request = pb.WatchInstancesRequest(services=["orders"], environment="production")
    before = await rig.register("orders")
    watcher = Watcher(rig.viewer, request)
    await rig.register("risk")
    await rig.register("orders", environment="staging")
    later = await rig.register("orders-LH")
    await asyncio.sleep(0.1)
    assert set(watcher.known) == {before.id, later.id}
    await watcher.stop()
    await rig.service.stop()


@pytest.mark.parametrize("after", [99])
async def test_a_sequence_that_has_not_happened_is_out_of_range(after: int) -> None:
    rig = await Rig.started()
    with pytest.raises(ServiceError) as caught:
        await anext(rig.viewer.watch_instances(pb.WatchInstancesRequest(after_sequence=after)))
    assert caught.value.code is StatusCode.OUT_OF_RANGE
    await rig.service.stop()


async def test_changes_are_kept_for_a_week() -> None:
    rig = await Rig.started()
    await rig.leave(await rig.register("orders"))
    await asyncio.sleep(7 * 86_400 + 10)
    await rig.leave(await rig.register("risk"))
    await asyncio.sleep(301)  # What ended is forgotten, and with it what is older than a week.
    for after, code in ((1, StatusCode.OUT_OF_RANGE), (3, None)):
        messages = rig.viewer.watch_instances(pb.WatchInstancesRequest(after_sequence=after))
        async with aclosing(messages):
            if code is None:
                assert (await anext(messages)).sequence == 6
                assert (await anext(messages)).sequence == 4
                continue
            with pytest.raises(ServiceError) as caught:
                await anext(messages)
            assert caught.value.code is code
    await rig.service.stop()


async def test_a_reader_that_is_too_slow_is_cut_off_and_resumes_without_a_gap() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    messages = rig.viewer.watch_instances(pb.WatchInstancesRequest())
    first = await anext(messages)
    assert (await anext(messages)).is_heartbeat  # It has caught up.
    for number in range(1_200):
        status = pb.REPORTED_STATUS_NOT_SERVING if number % 2 else pb.REPORTED_STATUS_SERVING
        await rig.beat(orders, status)
    seen: list[pb.WatchInstancesResponse] = [first]
    with pytest.raises(ServiceError) as caught:
        await _read(messages, seen)
    assert caught.value.reason == "SLOW_SUBSCRIBER"
    last = seen[-1].sequence
    assert [m.sequence for m in seen] == list(range(first.sequence, last + 1))
    resumed = Watcher(rig.viewer, pb.WatchInstancesRequest(after_sequence=last))
    await asyncio.sleep(0.1)
    sequences = [m.sequence for m in resumed.messages if not m.is_heartbeat]
    assert sequences == list(range(last + 1, sequences[-1] + 1))
    await resumed.stop()
    await rig.service.stop()


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_the_watch_equals_the_list(seed: int) -> None:
    """Watchers begin at any moment, while instances come, beat, fall silent and leave."""
    rng, rig = random.Random(seed), await Rig.started()
    instances: list[Instance] = []
    watchers: list[Watcher] = []
    for step in range(150):
        await _something_happens(rng, rig, instances)
        if step % 50 == 10:
            watchers.append(Watcher(rig.viewer, pb.WatchInstancesRequest()))
        await asyncio.sleep(rng.choice((0.0, 0.5, 3.0)))
    await asyncio.sleep(0.5)
    listed = await rig.listed()
    for watcher in watchers:
        assert watcher.known == listed
        await watcher.stop()
    await rig.service.stop()


async def _read(
    messages: AsyncIterator[pb.WatchInstancesResponse], seen: list[pb.WatchInstancesResponse]
) -> None:
    async for message in messages:
        seen.append(message)


async def _something_happens(rng: random.Random, rig: Rig, instances: list[Instance]) -> None:
    chance = rng.random()
    try:
        if not instances or chance < 0.3:
            instances.append(await rig.register(rng.choice(NAMES), ttl_s=rng.choice((2, 5, 15))))
        elif chance < 0.4:
            await rig.leave(rng.choice(instances))
        elif chance < 0.5:
            instances.append(await rig.register_spec(rng.choice(instances).spec))
        else:
            status = pb.ReportedStatus.ValueType(rng.randint(1, 3))
            await rig.beat(rng.choice(instances), status)
    except ServiceError as error:
        assert error.reason in {"IDENTITY_TAKEN", "FENCED", "LEASE_UNKNOWN"}  # noqa: PT017
