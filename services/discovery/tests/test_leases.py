"""Leases of the discovery service: who holds a name, who is late, who is fenced off."""

import asyncio

import pytest
from grpc import StatusCode
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.errors import ErrorInfo, ServiceError
from services.discovery.tests.rig import Rig, endpoint


async def test_an_instance_is_found_with_its_names_and_its_lease() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders-LH", version="7", metadata={"zone": "a"})
    found = (await rig.viewer.get_instance(pb.GetInstanceRequest(instance_id=orders.id))).instance
    assert found.spec == orders.spec
    assert found.status == pb.INSTANCE_STATUS_SERVING
    assert (found.lease_id, found.fence) == (orders.lease.lease_id, 1)
    assert found.lease_expire_time.ToNanoseconds() == rig.clock.now_ns() + 15 * 10**9
    assert found.identity == pb.Identity(
        schema="orders_lh",
        namespace="orders_lh",
        acl_user="orders-lh",
        dns_name="orders-lh",
        subject="plimsoll://production/orders/orders-LH",
    )
    await rig.service.stop()


async def test_silence_makes_suspect_then_expired_then_forgotten() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    seen = []
    for seconds in (7.4, 0.2, 7.3, 0.2, 299.8, 0.2):
        await asyncio.sleep(seconds)
        seen.append(await rig.status(orders))
    assert seen == ["SERVING", "SUSPECT", "SUSPECT", "EXPIRED", "EXPIRED", ""]
    await rig.service.stop()


async def test_a_beat_prolongs_and_ends_suspicion() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    for _ in range(5):
        await asyncio.sleep(14)
        assert await rig.status(orders) == "SUSPECT"
        answer = await rig.beat(orders, in_flight=3, loop_lag_ms=4, config_sequence=5)
        assert await rig.status(orders) == "SERVING"
    assert answer.ttl.ToNanoseconds() == 15 * 10**9
    found = await rig.viewer.get_instance(pb.GetInstanceRequest(instance_id=orders.id))
    told = found.instance
    assert (told.in_flight, told.loop_lag_ms, told.config_sequence) == (3, 4, 5)
    await rig.service.stop()


async def test_length_of_a_lease_is_as_asked_for() -> None:
    rig = await Rig.started()
    short = await rig.register("risk", ttl_s=2)
    long = await rig.register("orders")
    await asyncio.sleep(2.1)
    assert [await rig.status(short), await rig.status(long)] == ["EXPIRED", "SERVING"]
    await rig.service.stop()


async def test_who_slept_through_its_lease_is_fenced_and_registers_anew() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    await asyncio.sleep(16)
    with pytest.raises(ServiceError) as caught:
        await rig.beat(orders)
    assert (caught.value.code, caught.value.reason) == (StatusCode.ABORTED, "FENCED")
    again = await rig.register_spec(orders.spec)
    assert again.lease.fence > orders.lease.fence
    with pytest.raises(ServiceError, match="does not hold any more"):
        await rig.beat(orders)
    await rig.beat(again)
    await rig.service.stop()


async def test_a_registration_of_the_same_instance_fences_off_the_former() -> None:
    rig = await Rig.started()
    former = await rig.register("orders")
    later = await rig.register_spec(former.spec)
    assert later.lease.fence > former.lease.fence
    for doomed in (rig.beat(former), rig.leave(former)):
        with pytest.raises(ServiceError) as caught:
            await doomed
        assert caught.value.reason == "FENCED"
    await rig.beat(later)
    assert await rig.statuses() == {later.id: "SERVING"}
    await rig.service.stop()


async def test_a_lease_that_nobody_knows_is_not_found() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    await asyncio.sleep(400)
    with pytest.raises(ServiceError) as caught:
        await rig.beat(orders)
    assert (caught.value.code, caught.value.reason) == (StatusCode.NOT_FOUND, "LEASE_UNKNOWN")
    await rig.service.stop()


async def test_fences_rise_also_over_what_was_forgotten() -> None:
    rig = await Rig.started()
    fences = []
    for name in ("orders", "orders", "risk", "orders"):
        instance = await rig.register(name)
        fences.append(instance.lease.fence)
        await rig.leave(instance)
        await asyncio.sleep(400)
        await rig.restart()
    assert fences == [1, 2, 3, 4]
    assert await rig.statuses() == {}
    await rig.service.stop()


async def test_two_with_one_identity_cannot_both_run() -> None:
    rig = await Rig.started()
    holder = await rig.register("orders-LH")
    for rival in (rig.spec("orders-LH"), rig.spec("orders-lh")):
        with pytest.raises(ServiceError) as caught:
            await rig.register_spec(rival)
        assert (caught.value.code, caught.value.reason) == (
            StatusCode.ALREADY_EXISTS,
            "IDENTITY_TAKEN",
        )
        info = caught.value.detail(ErrorInfo)
        assert info is not None
        assert info.metadata["holder"] == holder.id
    await rig.leave(holder)
    rival_holds = await rig.register_spec(rival)
    assert rival_holds.lease.fence > holder.lease.fence
    await rig.service.stop()


async def test_a_name_is_free_as_soon_as_its_lease_has_ended() -> None:
    rig = await Rig.started()
    await rig.register("orders", ttl_s=5)
    rival = rig.spec("orders")
    await asyncio.sleep(4.999)
    with pytest.raises(ServiceError, match="is held by orders"):
        await rig.register_spec(rival)
    await asyncio.sleep(0.001)
    await rig.register_spec(rival)
    await rig.service.stop()


async def test_overridden_names_take_part_in_the_collision() -> None:
    rig = await Rig.started()
    await rig.register("orders", schema_override="shared", namespace_override="apart")
    with pytest.raises(ServiceError, match="schema 'shared' of risk is held by orders"):
        await rig.register("risk", schema_override="shared")
    await rig.register("risk", schema_override="orders")  # Nobody has it: orders gave it up.
    with pytest.raises(ServiceError, match="the platform uses it"):
        await rig.register("strategy", namespace_override="plimsoll")
    await rig.service.stop()


async def test_environments_do_not_collide() -> None:
    rig = await Rig.started()
    here = await rig.register("orders")
    there = await rig.register("orders", environment="staging")
    assert await rig.statuses() == {here.id: "SERVING", there.id: "SERVING"}
    await rig.service.stop()


async def test_a_repeated_request_gets_the_first_answer() -> None:
    rig = await Rig.started()
    request = pb.RegisterInstanceRequest(request_id="once", instance=rig.spec("orders"))
    first = await rig.of("orders").register_instance(request)
    assert await rig.of("orders").register_instance(request) == first
    request.instance.endpoints.append(endpoint("elsewhere"))
    with pytest.raises(ServiceError) as caught:
        await rig.of("orders").register_instance(request)
    assert caught.value.reason == "KEY_REUSED"
    await rig.service.stop()


async def test_a_repeated_beat_gets_the_first_answer_and_a_late_one_changes_nothing() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders", is_serving=False)
    first = await rig.beat(orders)
    orders.beats -= 1
    assert await rig.beat(orders, pb.REPORTED_STATUS_NOT_SERVING) == first
    assert await rig.status(orders) == "SERVING"
    await rig.beat(orders)
    orders.beats = 0
    await rig.beat(orders, pb.REPORTED_STATUS_DRAINING)
    assert await rig.status(orders) == "SERVING"
    await rig.service.stop()


async def test_only_the_service_itself_may_act_for_its_instances() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    risk, lease = rig.of("risk"), orders.lease
    for attempt in (
        risk.register_instance(pb.RegisterInstanceRequest(request_id="r", instance=orders.spec)),
        risk.renew_lease(
            pb.RenewLeaseRequest(
                lease_id=lease.lease_id,
                fence=lease.fence,
                beat=9,
                status=pb.REPORTED_STATUS_DRAINING,
            )
        ),
        risk.deregister_instance(
            pb.DeregisterInstanceRequest(lease_id=lease.lease_id, fence=lease.fence)
        ),
    ):
        with pytest.raises(ServiceError) as caught:
            await attempt
        assert caught.value.code is StatusCode.PERMISSION_DENIED
    assert await rig.status(orders) == "SERVING"
    await rig.service.stop()


async def test_leaving_frees_the_name_at_once_and_may_be_repeated() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    await rig.leave(orders)
    await rig.leave(orders)
    assert await rig.status(orders) == "GONE"
    await rig.register("orders")
    await rig.service.stop()


async def test_an_operator_may_end_a_lease_of_somebody_who_is_dead_for_certain() -> None:
    rig = await Rig.started()
    lease = (await rig.register("orders")).lease
    await rig.operator.deregister_instance(
        pb.DeregisterInstanceRequest(lease_id=lease.lease_id, fence=lease.fence)
    )
    await rig.register("orders")
    await rig.service.stop()


async def test_no_timer_runs_while_nobody_is_registered() -> None:
    rig = await Rig.started()
    await asyncio.sleep(1)
    assert rig.timers() == 0
    orders = await rig.register("orders")
    await asyncio.sleep(1)
    assert rig.timers() == 1
    await rig.leave(orders)
    await asyncio.sleep(301)
    assert rig.timers() == 0
    await rig.service.stop()
