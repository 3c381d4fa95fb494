"""Offering a schedule in virtual time: what is late, dropped, left or broken, to the unit."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from grpc import StatusCode

from runtime.errors import ServiceError
from runtime.load.arrivals import Schedule
from runtime.load.measured import Measured
from runtime.load.meter import Notes
from runtime.load.plan import Gate, Plan, Profile, Target
from runtime.load.run import Run
from runtime.load.traffic import Remainder, Unit

PROFILE = Profile("MADE_UP", "one", 100.0, (Gate("one", 100.0),), "none:None", "constant")
PLAN = Plan(PROFILE, Target({}), multiple=1.0, warmup_s=1.0, duration_s=10.0, in_flight_max=50)


class MadeUp:
    """Takes 2 ms for each unit, but for a stall, which all that are sent in it wait out."""

    def __init__(self, notes: Notes, stall_s: tuple[float, float] = (0.0, 0.0)) -> None:
        self._notes, self._stall_s = notes, stall_s
        self._now_s = asyncio.get_running_loop().time
        self.sent: list[tuple[int, float, float]] = []
        self.remainder: Remainder | ServiceError = Remainder(lost=4)

    async def prepare(self) -> None:
        """Need nothing."""

    async def send(self, number: int, intended_s: float) -> None:
        sent_s = self._now_s()
        self.sent.append((number, intended_s, sent_s))
        begins_s, ends_s = self._stall_s
        await asyncio.sleep(0.002 + (ends_s - sent_s if begins_s <= sent_s < ends_s else 0))
        self._notes.ended("one", intended_s, sent_s)

    async def finish(self) -> Remainder:
        if isinstance(self.remainder, ServiceError):
            raise self.remainder
        return self.remainder


class Broken(MadeUp):
    """Has a fault that its fifth unit meets."""

    async def send(self, number: int, intended_s: float) -> None:
        if number == 5:
            raise KeyError("fifth")
        await super().send(number, intended_s)


class Together(MadeUp):
    """Sends all that are due in one call, which takes as long as one alone."""

    def __init__(self, notes: Notes, stall_s: tuple[float, float] = (0.0, 0.0)) -> None:
        super().__init__(notes, stall_s)
        self.calls: list[Sequence[Unit]] = []

    async def send_together(self, units: Sequence[Unit]) -> None:
        self.calls.append(units)
        await asyncio.gather(*(self.send(*unit) for unit in units))


async def measured(plan: Plan = PLAN, stall_s: tuple[float, float] = (0.0, 0.0)) -> Measured:
    notes = Notes(asyncio.get_running_loop().time)
    run = Run(plan, MadeUp(notes, stall_s), notes)
    await run.offer(Schedule.of(plan))
    return await run.finish()


@pytest.mark.parametrize("multiple", [1.0, 15.0], ids=["seldom", "often"])
async def test_every_unit_is_sent_once_and_never_early(multiple: float) -> None:
    notes = Notes(asyncio.get_running_loop().time)
    traffic, plan = MadeUp(notes), replace(PLAN, multiple=multiple)
    await Run(plan, traffic, notes).offer(Schedule.of(plan))
    assert [number for number, _, _ in traffic.sent] == list(range(int(1100 * multiple)))
    lateness_s = [sent_s - intended_s for _, intended_s, sent_s in traffic.sent]
    assert min(lateness_s) >= 0
    assert max(lateness_s) <= 0.001


async def test_units_of_a_burst_go_together_and_none_of_them_is_late() -> None:
    notes = Notes(asyncio.get_running_loop().time)
    traffic = Together(notes)
    plan = replace(PLAN, profile=replace(PROFILE, arrivals="burst"), multiple=2.0)
    plan = replace(plan, in_flight_max=1000)
    run = Run(plan, traffic, notes)
    await run.offer(Schedule.of(plan))
    assert [unit.number for call in traffic.calls for unit in call] == list(range(2200))
    assert len(traffic.calls) <= 11 * 7  # One alone, then those of two milliseconds each.
    lateness_s = [sent_s - intended_s for _, intended_s, sent_s in traffic.sent]
    assert min(lateness_s) >= 0
    assert max(lateness_s) <= 0.003
    assert (await run.finish()).late == 0


async def test_a_unit_of_traffic_that_gathers_is_sent_alone_when_it_is_due_alone() -> None:
    notes = Notes(asyncio.get_running_loop().time)
    traffic = Together(notes)
    await Run(PLAN, traffic, notes).offer(Schedule.of(PLAN))
    assert [len(call) for call in traffic.calls] == [1] * 1100


async def test_no_call_has_more_units_than_a_contract_takes() -> None:
    loop = asyncio.get_running_loop()
    notes = Notes(loop.time)
    traffic, plan = Together(notes), replace(PLAN, multiple=20.0, in_flight_max=5000)
    offering = asyncio.ensure_future(Run(plan, traffic, notes).offer(Schedule.of(plan)))
    await asyncio.sleep(5.0)
    loop._now_s += 0.6  # type: ignore[attr-defined]  # What is due meanwhile is due together.
    await offering
    assert sorted(map(len, traffic.calls))[-3:] == [200, 500, 500]
    assert sum(map(len, traffic.calls)) == 22_000


async def test_each_unit_of_a_call_is_in_flight() -> None:
    notes = Notes(asyncio.get_running_loop().time)
    traffic = Together(notes, stall_s=(10.0, 60.0))
    burst = replace(PROFILE, arrivals="burst")
    plan = replace(PLAN, profile=burst, multiple=2.0, in_flight_max=100)
    run = Run(plan, traffic, notes)
    await run.offer(Schedule.of(plan))
    found = await run.finish()
    assert found.dropped == 100  # Of the two hundred of the last second, which all stall.
    assert found.remainder.backlog == found.remainder.unresolved == 100


async def test_the_measured_time_alone_is_counted() -> None:
    found = await measured()
    assert (found.scheduled, found.sent, found.late, found.dropped) == (1000, 1000, 0, 0)
    assert found.series["one"].counts == {"OK": 1000}
    assert found.lateness.total == 1000
    assert not found.is_interrupted
    assert found.is_steady


async def test_a_stall_is_in_the_corrected_p99_and_not_in_the_uncorrected() -> None:
    plan = replace(PLAN, in_flight_max=1000)
    series = (await measured(plan, stall_s=(5.0, 7.0))).series["one"]
    assert 1900 < series.corrected.percentile_ms(99) < 2010
    assert series.uncorrected.percentile_ms(99) < 5
    assert 1900 < series.uncorrected.max_ms < 2010


async def test_what_exceeds_the_bound_is_dropped_and_counted() -> None:
    found = await measured(stall_s=(5.0, 7.0))
    assert found.sent == pytest.approx(1000 - 150, abs=2)  # Of 200 in the stall 50 were in flight.
    assert found.dropped == found.scheduled - found.sent
    assert found.series["one"].ended == found.sent


async def test_a_generator_that_is_held_up_counts_its_late_sends() -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(measured())
    await asyncio.sleep(5.0)
    loop._now_s += 0.5  # type: ignore[attr-defined]  # Half a second in which nothing runs.
    found = await task
    assert found.late == 50
    assert found.lateness.max_ms == pytest.approx(500, rel=0.01)
    assert found.series["one"].corrected.max_ms == pytest.approx(502, rel=0.01)
    assert found.series["one"].uncorrected.max_ms == pytest.approx(2, rel=0.01)


async def test_what_is_still_under_way_is_the_backlog() -> None:
    plan = replace(PLAN, in_flight_max=1000)
    found = await measured(plan, stall_s=(10.5, 12.0))
    assert (found.remainder.backlog, found.remainder.unresolved) == (55, 0)
    assert found.remainder.lost == 4  # What the traffic says is kept.


async def test_what_does_not_end_in_time_is_unresolved() -> None:
    plan = replace(PLAN, in_flight_max=1000)
    found = await measured(plan, stall_s=(10.5, 60.0))
    assert found.remainder.backlog == found.remainder.unresolved == 55
    assert found.series["one"].ended == found.sent - 55


async def test_traffic_that_cannot_tell_what_is_left_leaves_something() -> None:
    notes = Notes(asyncio.get_running_loop().time)
    traffic = MadeUp(notes)
    traffic.remainder = ServiceError(StatusCode.UNAVAILABLE, "gone")
    run = Run(PLAN, traffic, notes)
    await run.offer(Schedule.of(PLAN))
    assert (await run.finish()).remainder.unresolved == 1


async def test_a_run_that_ends_early_is_interrupted() -> None:
    notes = Notes(asyncio.get_running_loop().time)
    run = Run(PLAN, MadeUp(notes), notes)
    task = asyncio.ensure_future(run.offer(Schedule.of(PLAN)))
    await asyncio.sleep(4.0)
    task.cancel()
    await asyncio.wait([task])
    found = await run.finish()
    assert found.is_interrupted
    assert 0 < found.sent < 400


async def test_a_fault_of_the_traffic_ends_the_run() -> None:
    notes = Notes(asyncio.get_running_loop().time)
    run = Run(PLAN, Broken(notes), notes)
    with pytest.raises(KeyError, match="fifth"):
        await run.offer(Schedule.of(PLAN))


async def test_messages_from_before_the_measured_time_have_no_age() -> None:
    notes = Notes(asyncio.get_running_loop().time)
    notes.delivered("ticks", 1, 9.0)
    notes.begin()
    notes.delivered("ticks", 2, 0.5)
    ages_s = notes.messages()["ticks"].ages_s
    assert ages_s[1:].tolist() == [0.5]
    assert ages_s[0] != ages_s[0]
