"""Steps of discovery: who is there, who holds a name, and what is known of it elsewhere."""

import asyncio
from collections.abc import Iterator

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.discovery.v1 import discovery_pb2 as pb

from features.bdd import given, then, when
from fixtures.instances import SIX, Crew, Follower
from fixtures.stage import Stage

scenarios("discovery")


@pytest.fixture
def crew(stage: Stage) -> Crew:
    """Return the instances of this scenario: none at first."""
    return Crew(stage)


@pytest.fixture
def follower(crew: Crew, runner: asyncio.Runner) -> Iterator[Follower]:
    """Return somebody who watches all instances."""

    async def begin() -> Follower:
        return Follower(crew)

    follower = runner.run(begin())
    yield follower
    runner.run(follower.stop())


@given(parse('"{name}" is registered and serves'))
async def is_registered(crew: Crew, name: str) -> None:
    await crew.serve(name)


@given("six instances are registered and serve")
async def are_registered(crew: Crew) -> None:
    await asyncio.gather(*[crew.serve(name) for name in SIX])


@given("somebody watches all instances")
def watches(follower: Follower) -> None:
    assert follower.known == {}


@given(parse("{seconds:d} seconds have passed in which nobody beats"))
@when(parse("{seconds:d} seconds pass in which nobody beats"))
async def all_are_silent(crew: Crew, seconds: int) -> None:
    await crew.pass_time(seconds)


@when(parse('{seconds:d} seconds pass in which only "{name}" beats'))
async def one_beats(crew: Crew, seconds: int, name: str) -> None:
    await crew.pass_time(seconds, [name])


@when(parse('somebody looks for "{service}"'), target_fixture="found")
async def look_for(crew: Crew, service: str) -> list[str]:
    return await crew.found(service)


@when(parse('"{name}" beats as if nothing had happened'))
async def beat_anyway(crew: Crew, name: str) -> None:
    await crew.becomes(name, "EXPIRED")
    await crew.try_to_beat(name)


@when(parse("discovery is killed, and started again after {seconds:d} seconds"))
async def restart(stage: Stage, seconds: int) -> None:
    await stage.system.crash("discovery")
    await stage.pass_time(seconds)
    await stage.system.restart("discovery")


@when(parse('Otto takes "{name}" out of use'))
async def drain(crew: Crew, stage: Stage, name: str) -> None:
    instance_id = crew.members[name].spec.instance_id
    await crew.operator.drain_instance(
        pb.DrainInstanceRequest(
            request_id=stage.request_id(), instance_id=instance_id, reason="upgrade"
        )
    )


@when(parse('"{name}" leaves'))
async def leave(crew: Crew, name: str) -> None:
    await crew.leave(name)


@when(parse('somebody asks for the names of "{name}"'), target_fixture="identity")
async def ask_for_names(crew: Crew, name: str) -> pb.Identity:
    request = pb.GetIdentityRequest(service=name.partition("-")[0], instance_name=name)
    return (await crew.viewer.get_identity(request)).identity


@when(parse('"{name}" tries to register at "{host}" in production'))
async def register_at(crew: Crew, name: str, host: str) -> None:
    await crew.try_to_register(crew.spec(name, host))


@when(parse('"{name}" tries to register'))
async def try_to_register(crew: Crew, name: str) -> None:
    await crew.try_to_register(crew.spec(name))


@then(parse('"{one}" and "{other}" are found'))
def are_found(found: list[str], one: str, other: str) -> None:
    assert found == [one, other]


@then(parse('{seconds:d} seconds later, in which only "{beating}" beats, "{name}" is {status}'))
async def is_later(crew: Crew, seconds: int, beating: str, name: str, status: str) -> None:
    await crew.pass_time(seconds, [beating])
    await crew.becomes(name, status)


@then(parse('"{name}" is {status:w}'))
async def has_status(crew: Crew, name: str, status: str) -> None:
    await crew.becomes(name, status)


@then(parse("it is refused as {reason}"))
def is_refused(crew: Crew, reason: str) -> None:
    assert crew.refusal is not None
    assert crew.refusal.reason == reason


@then("it registers anew with a greater fence")
async def registers_anew(crew: Crew) -> None:
    assert crew.tried is not None
    former = crew.members[crew.tried.instance_name].lease.fence
    assert (await crew.register(crew.tried)).lease.fence > former


@then("both can go on with their beats")
async def go_on(crew: Crew) -> None:
    await asyncio.gather(*[crew.beat(name) for name in crew.members])


@then(parse('the next beat of "{name}" is told to drain'))
async def is_told(crew: Crew, name: str) -> None:
    (directive,) = (await crew.beat(name)).directives
    assert (directive.kind, directive.reason) == (pb.DIRECTIVE_KIND_DRAIN, "upgrade")


@then(parse('nobody is sent to "{name}"'))
async def is_not_found(crew: Crew, name: str) -> None:
    assert name not in await crew.found(name)


@then(parse("all of them are {status:w}"))
async def all_have_status(crew: Crew, status: str) -> None:
    await asyncio.gather(*[crew.becomes(name, status) for name in crew.members])


@then(parse("{seconds:d} seconds later none of them is left"))
async def none_is_left(crew: Crew, seconds: int) -> None:
    await crew.pass_time(seconds)
    await asyncio.gather(*[crew.becomes(name, "EXPIRED") for name in crew.members])
    assert await crew.listed() == {}


@then("who watches knows exactly what is listed")
async def knows(crew: Crew, follower: Follower) -> None:
    await crew.becomes("orders-LH", "EXPIRED")
    assert await follower.agrees_with(crew)
    assert list(follower.known) == [crew.members["orders"].spec.instance_id]


@then(parse('its schema and its namespace are "{schema}"'))
def has_schema(identity: pb.Identity, schema: str) -> None:
    assert (identity.schema, identity.namespace) == (schema, schema)


@then(parse('its name in DNS is "{dns}"'))
def has_dns_name(identity: pb.Identity, dns: str) -> None:
    assert (identity.dns_name, identity.acl_user) == (dns, dns)


@then(parse('it may register once "{name}" has left'))
async def may_register(crew: Crew, name: str) -> None:
    assert crew.tried is not None
    await crew.leave(name)
    await crew.register(crew.tried)


@then(parse('it may register at "{host}" in production'))
async def may_register_at(crew: Crew, host: str) -> None:
    assert crew.tried is not None
    await crew.register(crew.spec(crew.tried.instance_name, host))
