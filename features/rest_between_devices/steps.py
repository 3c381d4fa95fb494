"""Steps of REST between devices: shares, a way that is cut, and a share that is turned."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse

from features.bdd import given, then, when
from fixtures import both_ways, crossing
from fixtures.bad_links import check_orders
from fixtures.both_ways import CALLED, SOME, Passage
from fixtures.flowing import FOLLOWED, PRICE, TRADED
from fixtures.judging import judged
from fixtures.outcome import Verdict
from fixtures.setup import Setup
from fixtures.stage import STAGE_START_NS, Stage
from runtime.fallback import Way

scenarios("rest_between_devices")

LOTS = 10
FAIR_PERCENT = 25


@pytest.fixture
def share() -> int:
    """Return how many percent of the calls to risk go over REST; a scenario says it."""
    raise AssertionError("the scenario must begin with the share of REST")


@pytest.fixture
def stage(runner: asyncio.Runner, setup: Callable[..., Setup], share: int) -> Iterator[Stage]:
    """Return the running platform, whose devices speak HTTP as well."""
    made = setup(seed=1, start_ns=STAGE_START_NS, rest_shares={CALLED: share})
    stage = runner.run(Stage.set_up(made))
    yield stage
    runner.run(stage.system.stop())


@given(
    parse("devices that send {percent:d} % of the calls to risk over REST"),
    target_fixture="share",
)
def devices(percent: int) -> int:
    return percent


@given("a strategy that follows one market, and Ana who trades another")
async def prepare(stage: Stage) -> None:
    await crossing.running(stage, FOLLOWED, LOTS)
    await stage.close_bar(TRADED, PRICE)


@when(parse("{count:d} orders flow"), target_fixture="passage")
async def flow(stage: Stage, count: int) -> Passage:
    return await both_ways.flown(stage, count)


@when(
    parse("orders flow while {way:w} between devices is cut, and after it"),
    target_fixture="passage",
)
async def flow_while_cut(stage: Stage, way: str) -> Passage:
    return await both_ways.flown_while_cut(stage, Way(way.lower()))


@when(
    "the share is turned to 100 % and back to 0 % while orders flow",
    target_fixture="passage",
)
async def turn(stage: Stage) -> Passage:
    return await both_ways.rolled_out_and_back(stage)


@then("each way carried at least a quarter of the checks")
def both_carried(passage: Passage) -> None:
    (sent,) = passage.sent
    assert min(sent.values()) * 100 >= FAIR_PERCENT * sum(sent.values()), sent


@then(parse("they were checked over {other:w} while it was, and over {way:w} alone after it"))
def checked_by_the_other(passage: Passage, other: str, way: str) -> None:
    meanwhile, after = passage.sent
    assert meanwhile[Way(other.lower())] >= SOME, meanwhile
    assert after[Way(way.lower())] >= SOME, after
    assert not after[Way(other.lower())], after


@then("they were checked over gRPC, REST and gRPC alone")
def checked_in_turn(passage: Passage) -> None:
    expected = (Way.GRPC, Way.REST, Way.GRPC)
    stretches = list(zip(expected, passage.sent, strict=True))
    assert all(sent[way] >= SOME for way, sent in stretches), passage.sent
    assert not any(sent[way.other] for way, sent in stretches), passage.sent


@then("no order was rejected")
def none_was_rejected(passage: Passage) -> None:
    assert passage.flow.refused == []


@then("every order of hers was answered, and is at the venue once or was rejected")
async def is_there_once(stage: Stage, passage: Passage) -> None:
    await check_orders(stage, passage.flow)


@then("all that must hold after a run holds")
async def checks_hold(stage: Stage) -> None:
    results = await judged(stage)
    assert [one for one in results if one.verdict is Verdict.FAILED] == []
    assert sum(one.verdict is Verdict.PASSED for one in results) > len(results) / 2
