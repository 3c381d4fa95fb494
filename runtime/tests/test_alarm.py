"""An alarm wakes at its instant or when poked, whichever is first; without either, never."""

import asyncio

import pytest

from runtime.alarm import Alarm
from runtime.clock import ReplayClock, SteadyClock

S = 10**9


async def woken_s(alarm: Alarm, until_ns: int | None) -> float:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    await alarm.wait(until_ns)
    return loop.time() - begun_s


async def test_it_wakes_at_its_instant() -> None:
    clock = ReplayClock(0)
    assert await woken_s(Alarm(clock), 5 * S) == 5
    assert clock.next_alarm_ns() is None


@pytest.mark.parametrize("until_ns", [100 * S, None])
async def test_a_poke_wakes_before(until_ns: int | None) -> None:
    clock = ReplayClock(0)
    alarm = Alarm(clock)
    asyncio.get_running_loop().call_later(2, alarm.poke)
    assert await woken_s(alarm, until_ns) == 2
    assert clock.next_alarm_ns() is None


async def test_a_poke_beforehand_counts_once() -> None:
    alarm = Alarm(ReplayClock(0))
    alarm.poke()
    assert await woken_s(alarm, None) == 0
    assert await woken_s(alarm, 3 * S) == 3


async def test_without_an_instant_there_is_no_timer() -> None:
    clock = ReplayClock(0)
    alarm = Alarm(clock)
    waiting = asyncio.create_task(alarm.wait(None))
    await asyncio.sleep(1)
    assert clock.next_alarm_ns() is None
    alarm.poke()
    await waiting


async def test_who_leaves_leaves_no_timer() -> None:
    clock = ReplayClock(0)
    waiting = asyncio.create_task(Alarm(clock).wait(9 * S))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert clock.next_alarm_ns() is None


@pytest.mark.real_time
async def test_a_steady_clock_counts_on_whoever_sets_the_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SteadyClock()
    before_ns = clock.now_ns()
    monkeypatch.setattr("runtime.clock.time.time_ns", lambda: 0)
    await clock.sleep_until(before_ns + 2_000_000)
    assert before_ns + 2_000_000 <= clock.now_ns() < before_ns + 60 * S
