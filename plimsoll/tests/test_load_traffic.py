"""What load is made of, at small rates against the whole platform: it is valid, and it counts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from trading.risk.v1.risk_pb2 import GetRiskStateRequest
from trading.risk.v1.risk_port import RiskService
from trading.strategy.v1.strategy_pb2 import STRATEGY_STATE_STOPPED, ListStrategiesRequest
from trading.strategy.v1.strategy_port import StrategyService

from fixtures.system import System
from loadtests.traffic import chain
from loadtests.traffic.mix import dealt
from loadtests.traffic.square import square_bars
from plimsoll.tests.load_platform import ground_of, platform, profile
from runtime.load.arrivals import Schedule
from runtime.load.engine import traffic_class
from runtime.load.measured import Measured
from runtime.load.meter import Notes
from runtime.load.plan import Profile
from runtime.load.run import Run
from services.marketdata import square

pytestmark = pytest.mark.real_time
NOTHING_LEFT = (0, 0, 0)  # Unresolved, lost, doubled.


@pytest_asyncio.fixture
async def system(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[System]:
    async with platform(monkeypatch) as started:
        yield started


async def measured(system: System, of: Profile, **more: Any) -> Measured:
    """Offer two seconds of a profile, as an engine does."""
    async with ground_of(system, of, **more) as standing:
        notes = Notes(asyncio.get_running_loop().time)
        traffic = traffic_class(standing.plan)(standing, notes)
        await traffic.prepare()
        run = Run(standing.plan, traffic, notes)
        await run.offer(Schedule.of(standing.plan))
        return await run.finish()


def ended(result: Measured) -> Mapping[str, Mapping[str, int]]:
    """Return how many units of each series ended how."""
    return {name: dict(series.counts) for name, series in result.series.items()}


async def states_of(system: System) -> Counter[int]:
    """Return how many strategies are in which state."""
    async with ground_of(system, profile("chain:Chain", 1)) as standing:
        strategies = standing.port(StrategyService, "trader")
        listed = await strategies.list_strategies(ListStrategiesRequest(page_size=100))
    return Counter(one.state for one in listed.strategies)


def left(result: Measured) -> tuple[int, int, int]:
    """Return what must be nothing when all went well."""
    remainder = result.remainder
    return remainder.unresolved, remainder.lost, remainder.doubled


async def test_orders_are_timed_to_the_venue_and_those_watched_into_the_ledger(
    system: System,
) -> None:
    result = await measured(system, profile("submit:Submit", 20, accounts=8, watched_accounts=4))
    assert ended(result) == {"acknowledged": {"OK": 40}, "booked": {"OK": 20}}
    assert left(result) == NOTHING_LEFT


async def test_validated_orders_hold_nothing_in_the_end(system: System) -> None:
    of = profile("validate:Validate", 40, accounts=2)  # Forty orders, each validated twice.
    result = await measured(system, of)
    assert ended(result) == {"RiskService/ValidateOrder": {"OK": 80}}
    assert left(result) == NOTHING_LEFT
    accounts = {row["account"] for row in await system.rows("risk", "risk_decisions")}
    assert len(accounts) == 2
    async with ground_of(system, of) as standing:
        risk = standing.port(RiskService, "trader")
        for account in accounts:
            state = await risk.get_risk_state(GetRiskStateRequest(account=account))
            assert state.open_orders == 0


async def test_two_engines_publish_ticks_side_by_side_without_a_gap(system: System) -> None:
    of = profile("ticks:Ticks", 40)
    parts = [measured(system, of, part=part, parts=2) for part in range(2)]
    result = Measured.merged(await asyncio.gather(*parts))
    assert ended(result) == {"decoded": {"OK": 80}}
    assert left(result) == NOTHING_LEFT
    assert {(seen.messages, seen.gaps, seen.repeats) for seen in result.streams.values()} == {
        (20, 0, 0)
    }
    assert len(result.streams) == 8  # Four instruments, two subscribers.


@pytest.mark.parametrize("arrivals", ["constant", "burst"])
async def test_every_fourth_candle_becomes_a_fill_on_a_platform_that_was_loaded_before(
    system: System, arrivals: str
) -> None:
    of = profile("chain:Chain", 16, arrivals=arrivals, accounts=3)
    first = await measured(system, of)
    assert ended(first) == {"acknowledged": {"OK": 32}, "booked": {"OK": 8}}
    again = await measured(system, of)  # What is stored is of another phase: it may cross early.
    assert ended(again)["acknowledged"] == {"OK": 32}
    assert set(ended(again)["booked"]) == {"OK"}
    assert left(first) == left(again) == NOTHING_LEFT
    assert await states_of(system) == {STRATEGY_STATE_STOPPED: 6}


async def test_more_candles_than_the_platform_has_instruments_take_imported_ones(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.traffic.listing.OF_PLATFORM", 2)
    result = await measured(system, profile("chain:Chain", 8, accounts=2))
    assert ended(result) == {"acknowledged": {"OK": 16}, "booked": {"OK": 4}}
    assert left(result) == NOTHING_LEFT


async def test_strategies_of_a_run_that_was_cut_off_trade_no_more(system: System) -> None:
    of = profile("chain:Chain", 8, accounts=2)
    async with ground_of(system, of) as standing:
        await chain.Chain(standing, Notes(asyncio.get_running_loop().time)).prepare()
    result = await measured(system, of)
    assert ended(result)["booked"] == {"OK": 4}
    assert await states_of(system) == {STRATEGY_STATE_STOPPED: 4}


async def test_a_mix_measures_each_kind_by_itself(system: System) -> None:
    shares = {"CHAIN": 8, "SUBMIT": 4, "VALIDATE": 8, "TICKS": 20}
    of = profile("mix:Mix", sum(shares.values()), shares=shares, accounts=4, watched_accounts=4)
    result = await measured(system, of)
    assert ended(result) == {
        "CHAIN acknowledged": {"OK": 16},
        "CHAIN booked": {"OK": 4},
        "SUBMIT acknowledged": {"OK": 8},
        "SUBMIT booked": {"OK": 8},
        "VALIDATE RiskService/ValidateOrder": {"OK": 16},
        "TICKS decoded": {"OK": 40},
    }
    assert left(result) == NOTHING_LEFT


def test_units_are_dealt_evenly() -> None:
    assert dealt({"A": 100.0, "B": 50.0}) == ["A", "B", "A"]


def test_candles_are_those_that_the_platform_itself_would_make() -> None:
    for index in (0, 5, 99):
        ours = square_bars(7, index, 100)
        assert ours.tolist() == square.square_bars(7, index, 100).tolist()
