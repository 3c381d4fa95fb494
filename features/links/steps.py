"""Steps of bad links: orders flow over them, and nothing of that is lost or done twice."""

from functools import partial

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.risk.v1.risk_pb2 import Limits

from features.bdd import given, then, when
from fixtures import bad_links, crossing
from fixtures.bad_links import FAULTS, Ordeal
from fixtures.flowing import FOLLOWED, PRICE, TRADED
from fixtures.judging import judged
from fixtures.limits import LOAD, change_limits
from fixtures.mothers import ACCOUNT
from fixtures.outcome import Verdict
from fixtures.stage import Stage

LOTS = 10
FREE = Limits(entries_per_instrument_max=1_000)  # More than anybody gets to.
FREE.MergeFrom(LOAD)

scenarios("links")


@given("a strategy that follows one market, and Ana who trades another")
async def prepare(stage: Stage) -> None:
    await change_limits(stage.risk, ACCOUNT, FREE, request_id=stage.request_id())
    await crossing.running(stage, FOLLOWED, LOTS)
    stage.next_minute(TRADED, len(crossing.FALLING))  # In which nothing was told of it.
    await stage.close_bar(TRADED, PRICE)


@when(
    parse("orders flow while the links between devices are {fault} for {seconds:d} seconds"),
    target_fixture="ordeal",
)
async def flow_between_devices(stage: Stage, fault: str, seconds: int) -> Ordeal:
    return await bad_links.trade_under(stage, FAULTS[fault], bad_links.between_devices, seconds)


@when(
    parse("orders flow while the links between devices are {fault} for at least {seconds:d} s"),
    target_fixture="ordeal",
)
async def flow_until_felt(stage: Stage, fault: str, seconds: int) -> Ordeal:
    ends = bad_links.between_devices
    return await bad_links.trade_under(
        stage, FAULTS[fault], ends, seconds, within_s=bad_links.FELT_WITHIN_S
    )


@when(
    parse("orders flow while the links to {callee:w} are {fault} for at least {seconds:d} s"),
    target_fixture="ordeal",
)
async def flow_to(stage: Stage, callee: str, fault: str, seconds: int) -> Ordeal:
    ends = partial(bad_links.leading_to, callee=callee)
    return await bad_links.trade_under(
        stage, FAULTS[fault], ends, seconds, within_s=bad_links.FELT_WITHIN_S
    )


@then("that was felt")
def was_felt(ordeal: Ordeal) -> None:
    assert ordeal.was_felt


@then("no order was rejected")
def none_was_rejected(ordeal: Ordeal) -> None:
    assert ordeal.flow.refused == []


@then("every order of hers was answered, and is at the venue once or was rejected for the link")
async def is_there_once(stage: Stage, ordeal: Ordeal) -> None:
    await bad_links.check_orders(stage, ordeal.flow)


@then("all that must hold after a run holds")
async def checks_hold(stage: Stage) -> None:
    results = await judged(stage)
    assert [one for one in results if one.verdict is Verdict.FAILED] == []
    assert sum(one.verdict is Verdict.PASSED for one in results) > len(results) / 2
