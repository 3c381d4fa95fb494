"""The ways of an instance from STARTING to GONE, and what operators may want of it."""

import pytest
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.errors import ServiceError
from services.discovery.entries import Reported, reported_after
from services.discovery.tests.rig import OPERATOR, Rig, Watcher, directives

STARTING, SERVING, NOT_SERVING, DRAINING = Reported
MOVES = [
    (STARTING, STARTING, STARTING),
    (STARTING, SERVING, SERVING),
    (STARTING, NOT_SERVING, NOT_SERVING),
    (SERVING, STARTING, NOT_SERVING),
    (SERVING, NOT_SERVING, NOT_SERVING),
    (NOT_SERVING, SERVING, SERVING),
    (NOT_SERVING, STARTING, NOT_SERVING),
    (SERVING, DRAINING, DRAINING),
    (DRAINING, SERVING, DRAINING),
    (DRAINING, STARTING, DRAINING),
]


@pytest.mark.parametrize(("before", "said", "after"), MOVES)
def test_nobody_comes_back_from_draining_nor_to_starting(
    before: Reported, said: Reported, after: Reported
) -> None:
    assert reported_after(before, said) is after


async def test_a_drained_instance_is_told_so_until_it_has_left() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    request = pb.DrainInstanceRequest(request_id="d", instance_id=orders.id, reason="upgrade")
    for _ in range(2):  # The second is a repeat.
        answer = await rig.operator.drain_instance(request)
        assert answer.status == pb.INSTANCE_STATUS_DRAINING
    for _ in range(2):
        assert directives(await rig.beat(orders)) == {"DRAIN": "upgrade"}
    assert await rig.status(orders) == "DRAINING"
    with pytest.raises(ServiceError, match="is held by orders"):  # It still finishes.
        await rig.register("orders")
    await rig.leave(orders)
    await rig.register("orders")
    await rig.service.stop()


async def test_a_log_level_is_told_with_the_next_beat() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    watcher = Watcher(rig.viewer, pb.WatchInstancesRequest())
    await rig.operator.set_log_level(
        pb.SetLogLevelRequest(request_id="l", instance_id=orders.id, log_level=pb.LOG_LEVEL_DEBUG)
    )
    (told,) = (await rig.beat(orders)).directives
    assert (told.kind, told.log_level) == (pb.DIRECTIVE_KIND_LOG_LEVEL, pb.LOG_LEVEL_DEBUG)
    assert [m for m in watcher.messages if not m.is_heartbeat] == []
    await watcher.stop()
    await rig.service.stop()


async def test_who_ended_is_told_nothing_and_who_never_was_is_not_found() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    await rig.leave(orders)
    client, nobody = rig.client(OPERATOR), "00000000-0000-4000-8000-000000000000"
    for instance_id, reason in ((orders.id, "INSTANCE_ENDED"), (nobody, "INSTANCE_UNKNOWN")):
        with pytest.raises(ServiceError) as caught:
            await client.drain_instance(
                pb.DrainInstanceRequest(
                    request_id=f"d-{reason}", instance_id=instance_id, reason="upgrade"
                )
            )
        assert caught.value.reason == reason
    with pytest.raises(ServiceError, match="there is no instance"):
        await rig.viewer.get_instance(pb.GetInstanceRequest(instance_id=nobody))
    await rig.service.stop()
