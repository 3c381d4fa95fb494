"""Probes: who beats and does not answer is not used (D2)."""

import asyncio

from trading.discovery.v1 import discovery_pb2 as pb

from services.discovery.tests.rig import Rig


async def test_an_instance_that_beats_and_does_not_answer_is_not_serving() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    rig.deaf.add(orders.spec.endpoints[0].host)
    await rig.beat_for(29, orders)
    assert await rig.status(orders) == "SERVING"  # Two failures are not three.
    await rig.beat_for(5, orders)
    assert await rig.status(orders) == "NOT_SERVING"
    request = pb.ResolveServiceRequest(service="orders", environment="production")
    assert not (await rig.viewer.resolve_service(request)).endpoints
    await rig.service.stop()


async def test_it_serves_again_after_two_answers() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    rig.deaf.add(orders.spec.endpoints[0].host)
    await rig.beat_for(35, orders)
    rig.deaf.clear()
    seen = []
    for _ in range(3):
        await rig.beat_for(10, orders)
        seen.append(await rig.status(orders))
    assert seen == ["NOT_SERVING", "SERVING", "SERVING"]
    await rig.service.stop()


async def test_a_probe_asks_by_the_contract_of_the_service_every_ten_seconds() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders", is_serving=False)
    await rig.beat_for(60, orders)
    hosts = orders.spec.endpoints[0].host
    assert rig.probed[:2] == [(hosts, "trading.orders.v1")] * 2
    assert 5 <= len(rig.probed) <= 7
    await rig.service.stop()


async def test_who_does_not_claim_to_serve_is_not_asked() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders", is_serving=False)
    for _ in range(10):
        await asyncio.sleep(5)
        await rig.beat(orders, pb.REPORTED_STATUS_STARTING)
    assert rig.probed == []
    assert await rig.status(orders) == "STARTING"
    await rig.service.stop()


async def test_probes_end_with_the_lease() -> None:
    rig = await Rig.started()
    orders = await rig.register("orders")
    await rig.beat_for(12, orders)
    await rig.leave(orders)
    asked = len(rig.probed)
    await asyncio.sleep(310)
    assert len(rig.probed) == asked == 1
    assert rig.timers() == 0
    await rig.service.stop()
