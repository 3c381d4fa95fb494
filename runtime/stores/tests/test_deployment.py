"""Whose stream an instance reads, and who must have read its own."""

import pytest

from runtime.naming import identity_of
from runtime.stores.deployment import Deployment, Manifest, Reads
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer

MANIFESTS = {
    "strategy": Manifest(produces=("signals",)),
    "orders": Manifest(produces=("order_events",), reads=(Reads("strategy", "signals"),)),
}
STRATEGY, ORDERS = identity_of("strategy"), identity_of("orders")
STRATEGY_LH = identity_of("strategy", "strategy-LH")
ORDERS_LH = identity_of("orders", "orders-LH")


def test_named_reader_reads_from_the_producer_of_its_name() -> None:
    deployment = Deployment((STRATEGY, ORDERS, STRATEGY_LH, ORDERS_LH), MANIFESTS)
    assert deployment.sources(ORDERS_LH) == {"signals": STRATEGY_LH}
    assert deployment.readers(STRATEGY) == {"signals": ("orders",)}
    assert deployment.readers(STRATEGY_LH) == {"signals": ("orders_lh",)}
    assert deployment.readers(ORDERS) == {"order_events": ()}


def test_without_one_it_reads_from_the_only_producer() -> None:
    deployment = Deployment((STRATEGY, ORDERS, ORDERS_LH), MANIFESTS, "staging")
    assert deployment.readers(STRATEGY) == {"signals": ("orders", "orders_lh")}
    streams = deployment.streams(ORDERS_LH, SimulatedRedis(SimulatedServer()))
    assert streams.source_key("signals") == "plimsoll:staging:signals"
    assert streams.key("order_events") == "plimsoll:staging:orders_lh.order_events"


def test_reader_may_choose_another_producer() -> None:
    every = (STRATEGY, ORDERS, STRATEGY_LH, ORDERS_LH)
    chosen = {("orders-LH", "signals"): "strategy"}
    deployment = Deployment(every, MANIFESTS, chosen=chosen)
    assert deployment.readers(STRATEGY) == {"signals": ("orders", "orders_lh")}
    assert deployment.readers(STRATEGY_LH) == {"signals": ()}


def test_reader_without_a_producer_is_refused() -> None:
    with pytest.raises(ValueError, match="orders reads signals of strategy, which"):
        Deployment((ORDERS, STRATEGY_LH), MANIFESTS)
    wrong = MANIFESTS | {"strategy": Manifest()}
    with pytest.raises(ValueError, match="does not produce it"):
        Deployment((ORDERS, STRATEGY), wrong)
