"""What services know of themselves is told as metrics, without asking anybody."""

import asyncio
from pathlib import Path

import pytest
from trading.echo.v1.echo_port import EchoService
from trading.orders.v1.orders_port import OrderService
from trading.risk.v1.risk_port import RiskService

from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.hosting import Tasks
from runtime.ids import Ids, derived_rng
from runtime.observe.collectors import (
    STATES,
    contract_digest,
    dropped_of,
    process_of,
    stores_of,
    streams_of,
    watch_loop,
)
from runtime.observe.memory import MemoryMetrics
from runtime.observe.metrics import Distribution
from runtime.progress import Progress
from runtime.stores import Database
from runtime.stores.errors import StoreError
from runtime.stores.standing import State


async def environment(name: str, database: Database) -> Environment:
    rng = derived_rng(1, name)
    return Environment(
        service=name,
        clock=ReplayClock(0),
        rng=rng,
        ids=Ids(rng),
        database=database,
        streams=None,  # type: ignore[arg-type]
        progress=Progress(),
        tasks=Tasks(name),
    )


async def test_a_database_that_goes_away_is_seen_in_durability() -> None:
    database = Database.inline_memory()
    orders = await environment("orders", database)
    metrics = MemoryMetrics()
    metrics.add_reader(stores_of(lambda: {"orders": orders, "risk": None}))

    def state() -> State:
        return STATES[int(metrics.value("durability", store="orders/database"))]

    assert state() is State.EPHEMERAL
    orders.durability.presence.failed(0, "no route")
    assert state() is State.REFUSING
    orders.durability.presence.answered()
    assert state() is State.EPHEMERAL
    assert metrics.value("spool_depth", store="orders/database") == 0
    assert metrics.value("durability", store="risk/database") == 0, "nothing is known of it"
    assert StoreError("away").definite is False
    await database.close()


async def test_readers_lag_behind_writers_of_the_same_process() -> None:
    database = Database.inline_memory()
    strategy = await environment("strategy", database)
    orders = await environment("orders", database)
    found = {"strategy": strategy, "orders": orders}
    metrics = MemoryMetrics()
    metrics.add_reader(streams_of(lambda: found))
    strategy.progress.wrote("signals", 7)
    orders.progress.has_read("signals", 4)
    orders.progress.has_read("elsewhere", 9)
    assert metrics.value("stream_lag", stream="signals", group="orders") == 3
    orders.progress.has_read("signals", 7)
    (reading,) = metrics.series("stream_lag")
    assert reading.value == 0
    await database.close()


def test_contracts_are_named_by_what_they_say() -> None:
    assert contract_digest([OrderService]) == contract_digest([OrderService])
    assert contract_digest([OrderService]) != contract_digest([RiskService])
    both = contract_digest([OrderService, RiskService])
    assert both == contract_digest([RiskService, OrderService])
    metrics = MemoryMetrics()
    metrics.add_reader(process_of("1.2.3", [EchoService]))
    assert metrics.value("build_info", release="1.2.3") == 1
    assert metrics.value("contract_info", digest=contract_digest([EchoService])) == 1


def test_what_was_dropped_is_told_by_reason() -> None:
    class Dropping:
        dropped = {"queue_full": 3, "collector_away": 4}  # noqa: RUF012 - only read.

    metrics = MemoryMetrics()
    metrics.add_reader(dropped_of("spans_dropped_total", "reason", Dropping()))
    assert metrics.value("spans_dropped_total", reason="collector_away") == 4


@pytest.mark.real_time
async def test_a_blocked_loop_is_seen_to_be_late(tmp_path: Path) -> None:
    metrics = MemoryMetrics()
    watching = asyncio.create_task(watch_loop(metrics))
    await asyncio.sleep(0.05)
    sum(range(20_000_000))  # Half a second that the loop cannot use.
    await asyncio.sleep(0.3)
    watching.cancel()
    (reading,) = metrics.series("loop_lag_seconds")
    assert isinstance(reading.value, Distribution)
    assert reading.value.total > 0.01
