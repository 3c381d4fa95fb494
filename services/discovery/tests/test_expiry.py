"""Many leases that would end together: more likely it is discovery that went deaf (D3)."""

import asyncio
import logging

import pytest

from services.discovery.tests.rig import Instance, Rig, endpoint

NAMES = ("orders", "risk", "strategy", "marketdata", "portfolio", "execution")
_AT = endpoint("device-1")


async def all_registered(rig: Rig, count: int = len(NAMES)) -> list[Instance]:
    return [await rig.register(name) for name in NAMES[:count]]


async def test_when_most_leases_would_end_at_once_none_does_for_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = await Rig.started()
    instances = await all_registered(rig)
    with caplog.at_level(logging.ERROR):
        await asyncio.sleep(15.1)
    assert set((await rig.statuses()).values()) == {"SUSPECT"}
    assert rig.service.is_expiry_paused
    assert "MASS_EXPIRY_PAUSED" in caplog.text
    await asyncio.sleep(50)
    for instance in instances:  # It was us: everybody is heard again.
        await rig.beat(instance)
    await rig.beat_for(10, *instances)
    assert not rig.service.is_expiry_paused
    await rig.beat_for(60, *instances)
    assert set((await rig.statuses()).values()) == {"SERVING"}
    await rig.service.stop()


async def test_those_who_are_still_silent_after_the_pause_have_ended() -> None:
    rig = await Rig.started()
    first, *silent = await all_registered(rig)
    await rig.beat_for(75.1, first)
    found = await rig.statuses()
    assert found.pop(first.id) == "SERVING"
    assert set(found.values()) == {"EXPIRED"}
    assert len(found) == len(silent)
    assert not rig.service.is_expiry_paused
    await rig.service.stop()


@pytest.mark.parametrize(("count", "silent"), [(5, 5), (6, 3)])
async def test_few_leases_or_half_of_them_end_as_ever(count: int, silent: int) -> None:
    rig = await Rig.started()
    instances = await all_registered(rig, count)
    await rig.beat_for(15.1, *instances[silent:])
    found = await rig.statuses()
    assert [found[each.id] for each in instances[:silent]] == ["EXPIRED"] * silent
    await rig.service.stop()


async def test_leases_that_end_one_after_the_other_count_together() -> None:
    rig = await Rig.started()
    instances = await all_registered(rig)
    for alive in range(1, 5):  # One more falls silent each 2 s.
        await asyncio.sleep(2)
        for instance in instances[alive:]:
            await rig.beat(instance)
    await rig.beat_for(20, *instances[4:])
    found = [(await rig.statuses())[each.id] for each in instances]
    assert found[4:] == ["SERVING", "SERVING"]
    assert "SUSPECT" in found[:4]
    assert rig.service.is_expiry_paused
    await rig.service.stop()


async def test_a_process_that_dies_with_most_services_is_followed_at_once() -> None:
    """Its leases end together as all others are still heard: the fault is not ours."""
    rig = await Rig.started()
    dead = [await rig.register(name, endpoints=[_AT]) for name in NAMES[:5]]
    other = await rig.register(NAMES[5])
    await rig.beat_for(15.1, other)
    found = await rig.statuses()
    assert [found[each.id] for each in dead] == ["EXPIRED"] * 5
    await rig.service.stop()


async def test_one_process_that_is_all_there_is_waits_as_any() -> None:
    rig = await Rig.started()
    for name in NAMES:
        await rig.register(name, endpoints=[_AT])
    await asyncio.sleep(15.1)
    assert set((await rig.statuses()).values()) == {"SUSPECT"}
    await rig.service.stop()


async def test_whoever_waits_for_a_name_waits_for_the_pause_too() -> None:
    rig = await Rig.started()
    await all_registered(rig)
    rival = rig.spec("orders")
    await asyncio.sleep(74.9)
    with pytest.raises(Exception, match="is held by orders"):
        await rig.register_spec(rival)
    await asyncio.sleep(0.2)
    await rig.register_spec(rival)
    await rig.service.stop()
