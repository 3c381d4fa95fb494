"""Steps of security: certificates say who calls, and who answers."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.risk.v1.risk_port import RiskService

from features.bdd import given, then, when
from fixtures.principals import TRADER, service
from fixtures.security import grpcurl
from fixtures.security.grpcurl import Grpcurl, Said
from fixtures.security.other_house import RELEASE, RELEASE_REQUEST, other_house
from fixtures.security.premises import Premises, list_decisions, release, watch_events
from fixtures.security.traffic import Traffic
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.identity import Principal

SYMBOL = "SQ00.XSIM"
Refusal = ServiceError | None

scenarios("security")


@pytest.fixture
def premises(runner: asyncio.Runner, stage: Stage, tmp_path: Path) -> Iterator[Premises]:
    """Return what stands before the platform, closed again at the end."""
    premises = Premises(stage.system.here.routes, tmp_path)
    yield premises
    runner.run(premises.close())


@pytest.fixture
def traffic(runner: asyncio.Runner, premises: Premises) -> Iterator[Traffic]:
    """Return calls and a stream that go on until the scenario ends."""

    async def begin() -> Traffic:
        return Traffic(premises)

    traffic = runner.run(begin())
    yield traffic
    runner.run(traffic.stop())


@pytest.fixture
def other_client(leave_out: Callable[[str], None], premises: Premises) -> Callable[[str], Grpcurl]:
    """Return what makes the client of another house that calls as somebody."""
    if missing := grpcurl.lacking():
        leave_out("; ".join(missing))
    return partial(other_house, premises)


@given("risk and market data ask every caller for a certificate")
async def ask_for_certificates(premises: Premises) -> None:
    await premises.open()


@given("market data answers where risk is called")
async def answer_in_place(premises: Premises) -> None:
    await premises.open("marketdata")


@given("Ana has the certificate of a trader")
def certify_ana(premises: Premises) -> None:
    premises.realm.registrar.person(TRADER)


@given('"orders" asks market data without a pause, and "strategy" watches candles')
async def ask_without_pause(stage: Stage, traffic: Traffic) -> None:
    candle = await stage.close_bar(SYMBOL, "100.00")
    assert (await traffic.next_candle()).close_time == candle.close_time
    await traffic.go_on()


@when(parse('"{name}" has risk release an order'), target_fixture="refusal")
async def call_release(premises: Premises, name: str) -> Refusal:
    return await release(premises.client(RiskService, name, service(name)))


@when(
    parse('"{name}" has risk release an order, saying it is "{claimed}"'),
    target_fixture="refusal",
)
async def claim_release(premises: Premises, name: str, claimed: str) -> Refusal:
    return await release(premises.client(RiskService, name, service(claimed)))


@when(parse('"{name}" watches the events of risk'), target_fixture="refusal")
async def call_watch(premises: Premises, name: str) -> Refusal:
    return await watch_events(premises.client(RiskService, name, service(name)))


@when("Ana reads the decisions of risk, saying she is a risk officer", target_fixture="refusal")
async def claim_role(premises: Premises) -> Refusal:
    claimed = Principal(TRADER.name, TRADER.roles | {"RISK_OFFICER"})
    return await list_decisions(premises.client(RiskService, TRADER.name, claimed))


@when(
    parse('a caller {who} has risk release an order, saying it is "orders"'),
    target_fixture="refusal",
)
async def call_as_stranger(premises: Premises, who: str) -> Refusal:
    return await release(premises.stranger(who), claimed="orders")


@when("every certificate is replaced", target_fixture="serials")
async def replace_certificates(premises: Premises, traffic: Traffic) -> dict[str, int]:
    serials = premises.replace_certificates()
    await traffic.go_on_with(serials)
    return serials


@when(
    "the authority is replaced by another, which is trusted beside it at first",
    target_fixture="serials",
)
async def replace_authority(premises: Premises, traffic: Traffic) -> dict[str, int]:
    old, new = premises.realm.authority, premises.realm.new_authority()
    premises.realm.registrar.trust(old, new)
    await traffic.go_on()
    serials = premises.replace_certificates()
    await traffic.go_on_with(serials)
    premises.realm.registrar.trust(new)
    await traffic.go_on()
    return serials


@when(
    parse('a client of another house asks, as "{name}", what there is'),
    target_fixture="told",
)
async def ask_what_there_is(other_client: Callable[[str], Grpcurl], name: str) -> list[Said]:
    client = other_client(name)
    return [await client.services(), await client.description(RELEASE.partition("/")[0])]


@when(
    parse('a client of another house has risk release an order, as "{name}"'),
    target_fixture="said",
)
async def call_from_other_house(other_client: Callable[[str], Grpcurl], name: str) -> Said:
    return await other_client(name).call(RELEASE, RELEASE_REQUEST)


@when(parse("a client of another house {who} asks what there is"), target_fixture="said")
async def ask_as_stranger(other_client: Callable[[str], Grpcurl], who: str) -> Said:
    return await other_client(who).services()


@then("it is told of risk and market data")
def is_told_of_both(told: list[Said]) -> None:
    services = {"trading.risk.v1.RiskService", "trading.marketdata.v1.MarketDataService"}
    assert services <= set(told[0].lines), told[0]


@then("it is told who may release an order")
def is_told_who_may(told: list[Said]) -> None:
    assert 'callers: [ "orders" ]' in told[1].out, told[1]


@then("it is answered")
def is_answered(said: Said) -> None:
    assert (said.status, said.err) == (0, ""), said
    assert said.answer == {}


@then(parse("it is refused as {code:w}"))
def is_refused_with(said: Said, code: str) -> None:
    assert f"Code: {code}" in said.err, said


@then("it cannot even connect")
def cannot_connect(said: Said) -> None:
    assert said.out == ""
    assert "Failed to dial" in said.err, said


@then("risk has released it")
async def has_released(stage: Stage) -> None:
    assert [row["client_order_id"] for row in await stage.system.rows("risk", "risk_holds")] == [
        "ana-1"
    ]


@then(parse("the call is refused as {reason:w}"))
def is_refused(refusal: Refusal, reason: str) -> None:
    assert refusal is not None
    assert refusal.reason == reason


@then("risk answers")
def has_answered(refusal: Refusal) -> None:
    assert refusal is None


@then("risk has released nothing")
async def has_released_nothing(stage: Stage) -> None:
    assert await stage.system.rows("risk", "risk_holds") == []


@then("nothing of it came in")
def nothing_came_in(premises: Premises) -> None:
    assert premises.arrived == []


@then("no call has failed")
def none_failed(traffic: Traffic) -> None:
    assert traffic.failed == []


@then("the stream brings the next candle")
async def bring_next(stage: Stage, traffic: Traffic) -> None:
    candle = await stage.close_bar(SYMBOL, "101.00")
    assert (await traffic.next_candle()).close_time == candle.close_time


@then("new connections show the new certificates")
async def show_new(premises: Premises, traffic: Traffic, serials: dict[str, int]) -> None:
    await traffic.go_on()
    shown = {name: await premises.shown(name) for name in ("risk", "marketdata")}
    assert shown == {name: serials[name] for name in shown}
    assert {serial for name, serial in premises.witness.seen[-9:] if name == "orders"} == {
        serials["orders"]
    }
