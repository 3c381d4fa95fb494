"""Health tells of every service whether it serves, and what it promises about its data."""

from collections.abc import AsyncIterator

import pytest
from grpc import StatusCode
from trading.health.v1 import health_pb2 as pb

from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.hosting import Tasks
from runtime.ids import Ids, derived_rng
from runtime.naming import identity_of
from runtime.progress import Progress
from runtime.stores import Database, Streams
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.stores.spool import Spool
from runtime.stores.standing import Data, State
from services.health import Health

START_NS = 10**18
CLOCK_START_S = START_NS // 10**9


@pytest.fixture
async def environment() -> AsyncIterator[Environment]:
    clock, rng = ReplayClock(START_NS), derived_rng(1, "orders")
    environment = Environment(
        service="orders",
        clock=clock,
        rng=rng,
        ids=Ids(rng),
        database=Database.inline_memory(),
        streams=Streams(SimulatedRedis(SimulatedServer()), identity_of("orders", "orders-LH")),
        progress=Progress(),
        tasks=Tasks("orders"),
        spool=Spool(Database.inline_memory(), clock),
    )
    yield environment
    await environment.tasks.stop()
    await environment.database.close()


def health(environment: Environment | None) -> Health:
    clock = ReplayClock(START_NS)
    return Health(lambda: {"orders": environment, "risk": None}, clock)


async def of_orders(environment: Environment | None) -> pb.ServiceHealth:
    answer = await health(environment).get_health(pb.GetHealthRequest(service="orders"))
    assert answer.time.seconds == CLOCK_START_S
    return answer.services[0]


async def test_a_service_in_memory_says_so(environment: Environment) -> None:
    found = await of_orders(environment)
    assert (found.service, found.instance_name) == ("orders", "orders-LH")
    assert found.status == pb.SERVING_STATUS_SERVING
    assert found.durability == pb.DURABILITY_STATE_EPHEMERAL


async def test_an_outage_is_told_though_no_work_has_met_it(environment: Environment) -> None:
    environment.database.faults.is_down = True
    found = await of_orders(environment)
    intents, facts, reads = found.data
    assert found.status == pb.SERVING_STATUS_SERVING  # It answers, and refuses what is new.
    assert found.durability == pb.DURABILITY_STATE_REFUSING
    assert intents.state == facts.state == pb.DURABILITY_STATE_REFUSING
    assert reads.state == pb.DURABILITY_STATE_STALE
    assert intents.since.seconds == CLOCK_START_S
    assert intents.reason == "the store is down: nothing can be read; repeat later"


async def test_what_is_spooled_is_told_with_its_depth(environment: Environment) -> None:
    spool = environment.spool
    assert spool is not None
    await spool.open()
    environment.durability.spools_into(spool)
    await spool.append(b"a fill")
    facts = (await of_orders(environment)).data[1]
    assert (facts.state, facts.depth) == (pb.DURABILITY_STATE_SPOOLING, 1)
    assert facts.HasField("age")
    await spool.close()


async def test_a_service_whose_stores_are_not_open_starts_and_promises_nothing() -> None:
    found = await of_orders(None)
    assert found.status == pb.SERVING_STATUS_STARTING
    assert found.durability == pb.DURABILITY_STATE_REFUSING


async def test_without_a_name_every_service_is_told(environment: Environment) -> None:
    answer = await health(environment).get_health(pb.GetHealthRequest())
    assert [one.service for one in answer.services] == ["orders", "risk"]


async def test_a_service_of_another_process_is_not_known_here(environment: Environment) -> None:
    with pytest.raises(ServiceError) as unknown:
        await health(environment).get_health(pb.GetHealthRequest(service="exchange"))
    assert (unknown.value.code, unknown.value.reason) == (StatusCode.NOT_FOUND, "SERVICE_UNKNOWN")


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_name_in_the_contract(state: State) -> None:
    assert pb.DurabilityState.Value(f"DURABILITY_STATE_{state}")


@pytest.mark.parametrize("data", list(Data))
def test_every_kind_of_data_has_a_name_in_the_contract(data: Data) -> None:
    assert pb.DataKind.Value(f"DATA_KIND_{data}")
