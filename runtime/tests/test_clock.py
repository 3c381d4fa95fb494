import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import ReplayClock, SystemClock
from runtime.times import NS_PER_S, to_duration, to_ns, to_timestamp
from runtime.virtual import VirtualLoop

START_NS = 1_700_000_000 * NS_PER_S


async def test_replay_clock_runs_with_the_loop() -> None:
    clock = ReplayClock(START_NS)
    assert clock.now_ns() == START_NS
    await asyncio.sleep(1.5)
    assert clock.now_ns() == START_NS + 1_500_000_000


async def test_skipping_moves_the_clock_and_no_timer() -> None:
    clock, loop = ReplayClock(START_NS), asyncio.get_running_loop()
    timer = asyncio.ensure_future(asyncio.sleep(10))
    night_ns = 17 * 3_600 * NS_PER_S
    clock.skip_to(START_NS + night_ns)
    await asyncio.sleep(1)
    assert clock.now_ns() == START_NS + night_ns + NS_PER_S
    assert not timer.done()
    assert loop.time() == 1
    timer.cancel()


async def test_skipping_back_changes_nothing() -> None:
    clock = ReplayClock(START_NS)
    await asyncio.sleep(2)
    clock.skip_to(START_NS)
    assert clock.now_ns() == START_NS + 2 * NS_PER_S


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(-(10**12), 10**12))))
def test_replay_clock_never_goes_back(steps: list[tuple[float, int]]) -> None:
    async def main() -> list[int]:
        clock = ReplayClock(START_NS)
        seen = [clock.now_ns()]
        for wait_s, skip_ns in steps:
            await asyncio.sleep(wait_s)
            seen.append(clock.now_ns())
            clock.skip_to(clock.now_ns() + skip_ns)
            seen.append(clock.now_ns())
        return seen

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        seen = runner.run(main())
    assert seen == sorted(seen)


def test_system_clock_is_the_machines() -> None:
    before_ns = time.time_ns()
    assert before_ns <= SystemClock().now_ns() <= time.time_ns()


@given(st.integers(-(10**18), 4 * 10**18))
def test_instant_comes_back_from_its_timestamp(instant_ns: int) -> None:
    timestamp = to_timestamp(instant_ns)
    assert to_ns(timestamp) == instant_ns
    assert 0 <= timestamp.nanos < NS_PER_S


@given(st.integers(-(10**17), 10**17))
def test_duration_keeps_its_nanoseconds(duration_ns: int) -> None:
    assert to_duration(duration_ns).ToNanoseconds() == duration_ns


async def test_a_skip_wakes_who_sleeps_on_the_clock_in_the_order_of_their_instants() -> None:
    clock, woken = ReplayClock(START_NS), list[str]()

    async def sleep(name: str, seconds: int) -> None:
        await clock.sleep_until(START_NS + seconds * NS_PER_S)
        woken.append(name)

    sleepers = [
        asyncio.ensure_future(sleep(name, s)) for name, s in (("c", 90), ("b", 60), ("a", 60))
    ]
    await asyncio.sleep(0)
    clock.skip_to(START_NS + 75 * NS_PER_S)
    await asyncio.sleep(0.001)
    assert woken == ["b", "a"]
    assert clock.next_alarm_ns() == START_NS + 90 * NS_PER_S
    clock.skip_to(START_NS + 90 * NS_PER_S)
    await asyncio.gather(*sleepers)
    assert clock.next_alarm_ns() is None


async def test_an_alarm_rings_by_the_loop_when_nothing_is_skipped() -> None:
    clock, loop = ReplayClock(START_NS), asyncio.get_running_loop()
    await clock.sleep_until(START_NS + 2 * NS_PER_S)
    assert loop.time() == 2


async def test_a_cancelled_sleeper_leaves_no_alarm() -> None:
    clock = ReplayClock(START_NS)
    sleeper = asyncio.ensure_future(clock.sleep_until(START_NS + NS_PER_S))
    await asyncio.sleep(0)
    sleeper.cancel()
    await asyncio.wait([sleeper])
    assert clock.next_alarm_ns() is None


async def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    clock = ReplayClock(START_NS)
    await clock.sleep_until(START_NS - 1)
    await SystemClock().sleep_until(0)
    assert clock.next_alarm_ns() is None
