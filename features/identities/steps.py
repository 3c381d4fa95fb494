"""Steps of identities: every device knows who comes, while certificates are replaced, too."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.risk.v1.risk_port import RiskService

from features.bdd import given, then, when
from fixtures import dealing
from fixtures.devices.renewing import Renewal, devices_of
from fixtures.devices.severing import severed
from fixtures.devices.strangers import REFUSALS, STRANGERS, Strangers
from fixtures.devices.talkative import LEVEL, Talkative
from fixtures.principals import RISK_OFFICER, TRADER, service
from fixtures.security import canary, grpcurl
from fixtures.security.grpcurl import Grpcurl, Said
from fixtures.security.premises import list_decisions, release
from fixtures.setup import Setup
from fixtures.stage import STAGE_START_NS, Stage
from runtime.errors import ServiceError
from runtime.identity import Principal

SYMBOL = "SQ00.XSIM"
RISK = "trading.risk.v1.RiskService"
DECISIONS = f"{RISK}/ListDecisions"
Refusal = ServiceError | None

scenarios("identities")


@pytest.fixture
def strangers(runner: asyncio.Runner, stage: Stage) -> Iterator[Strangers]:
    """Return those who come to the device of risk, sent away at the end."""
    devices, credentials = devices_of(stage)
    strangers = Strangers(credentials, devices.running[devices.home["risk"]].address)
    yield strangers
    runner.run(strangers.close())


@pytest.fixture
def rita(leave_out: Callable[[str], None], strangers: Strangers) -> Grpcurl:
    """Return the client of another house that Rita uses."""
    if missing := grpcurl.lacking():
        leave_out("; ".join(missing))
    return strangers.other_house(RISK_OFFICER)


@pytest.fixture
def talkatives(
    runner: asyncio.Runner, setup: Callable[..., Setup], tmp_path: Path
) -> Iterator[Talkative]:
    """Return devices that log everything, and keep all files until the scenario ends."""
    history = tmp_path / "history.jsonl"
    loud = setup(directory=tmp_path, history_path=history, log_level=LEVEL, start_ns=STAGE_START_NS)
    stage = runner.run(Stage.set_up(loud))
    yield Talkative(stage, tmp_path)
    runner.run(stage.system.stop())


@given("Ana trades over all devices", target_fixture="renewal")
async def trade(stage: Stage) -> Renewal:
    await stage.close_bar(SYMBOL, "100.00")
    renewal = Renewal(stage, SYMBOL)
    await renewal.trade()
    return renewal


@given("devices that log whatever there is to log", target_fixture="talkative")
def log_everything(talkatives: Talkative, caplog: pytest.LogCaptureFixture) -> Talkative:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "grpc")  # It tells of every step of the loop.
    return talkatives


@when(parse('"{name}" has risk release an order'), target_fixture="refusal")
async def call_release(stage: Stage, name: str) -> Refusal:
    return await release(stage.system.client(RiskService, service(name)))


@when(
    parse('"{name}" has risk release an order, saying it is "{claimed}"'),
    target_fixture="refusal",
)
async def claim_release(strangers: Strangers, name: str, claimed: str) -> Refusal:
    return await release(strangers.impostor(service(name), service(claimed)))


@when(
    "Ana, a trader, reads the decisions of risk, saying she is a risk officer",
    target_fixture="refusal",
)
async def claim_role(strangers: Strangers) -> Refusal:
    claimed = Principal(TRADER.name, TRADER.roles | {"RISK_OFFICER"})
    return await list_decisions(strangers.impostor(TRADER, claimed))


@when(
    "Rita, a risk officer, reads the decisions of risk by a client of another house",
    target_fixture="told",
)
async def read_from_other_house(rita: Grpcurl) -> list[Said]:
    return [await rita.services(), await rita.call(DECISIONS, "{}")]


@when('every stranger has risk release an order, saying it is "orders"', target_fixture="refusals")
async def call_as_strangers(strangers: Strangers) -> dict[str, Refusal]:
    return {who: await release(strangers.risk(who), claimed="orders") for who in STRANGERS}


@when("every certificate is replaced while she trades on")
async def replace_certificates(renewal: Renewal) -> None:
    await renewal.replace()


@when("the authority is replaced by another while she trades on")
async def replace_authority(renewal: Renewal) -> None:
    await renewal.replace_authority()


@when("Ana trades over them, strangers try to come in, and the stores are away for a moment")
async def trade_and_fail(talkative: Talkative) -> None:
    await talkative.stage.close_bar(SYMBOL, "100.00")
    await Renewal(talkative.stage, SYMBOL).trade()
    await talkative.refuse_all()
    await talkative.lose_stores()


@then("she is told what the device has, and that nothing was decided")
def is_told(told: list[Said]) -> None:
    assert {RISK, "grpc.health.v1.Health"} <= set(told[0].lines), told[0]
    assert (told[1].status, told[1].answer) == (0, {}), told[1]


@then("risk answers")
def has_answered(refusal: Refusal) -> None:
    assert refusal is None


@then(parse("the call is refused as {reason:w}"))
def is_refused(refusal: Refusal, reason: str) -> None:
    assert refusal is not None
    assert refusal.reason == reason


@then("each is refused as he must be")
def are_refused(refusals: dict[str, Refusal]) -> None:
    assert {who: one and one.reason for who, one in refusals.items()} == REFUSALS


@then("no log and no history holds a key or a password")
def logs_hold_none(talkative: Talkative, caplog: pytest.LogCaptureFixture) -> None:
    assert talkative.canary.in_texts(talkative.written()) == []
    assert talkative.canary.in_text(caplog.text) == []


@then("nobody on the machine sees one in the arguments of a process")
def arguments_hold_none(talkative: Talkative) -> None:
    assert talkative.canary.in_texts(canary.listings()) == []


@then("none in the environment of a process")
def environments_hold_none(talkative: Talkative) -> None:
    assert talkative.canary.in_texts(canary.environments()) == []


@then("risk has released it")
async def has_released(stage: Stage) -> None:
    holds = await stage.system.rows("risk", "risk_holds")
    assert [row["client_order_id"] for row in holds] == ["ana-1"]


@then("risk has released nothing")
async def has_released_nothing(stage: Stage) -> None:
    assert await stage.system.rows("risk", "risk_holds") == []


@then("no call has failed")
async def none_failed(renewal: Renewal) -> None:
    assert await renewal.failed() == []


@then("every service shows its new certificate")
async def show_new(renewal: Renewal) -> None:
    assert await renewal.shown() == renewal.serials


@then("devices that lose all connections find each other again")
async def find_again(stage: Stage, renewal: Renewal) -> None:
    devices, _ = devices_of(stage)
    async with severed(devices.links, devices.running):
        await stage.system.settle()
    await renewal.trade()


@then("the books agree with the venue")
async def books_agree(stage: Stage) -> None:
    await stage.system.settle()
    assert await dealing.positions(stage) == await dealing.venue_positions(stage)
