"""Orders that cannot be worked are refused with a reason, and nothing is kept of them."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.types.v1 import order_pb2
from trading.types.v1.order_pb2 import AlgorithmSpec

from runtime.times import NS_PER_S, to_timestamp
from services.execution.tests import mothers
from services.execution.tests.mothers import START_NS
from services.execution.tests.rig import failure
from services.execution.tests.working import WorkingRig, order

INVALID, WINDOW = StatusCode.INVALID_ARGUMENT, StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"minutes": 0}, WINDOW, "WINDOW_INVALID"),
        ({"minutes": 0.5}, WINDOW, "WINDOW_INVALID"),
        ({"minutes": -1}, WINDOW, "WINDOW_INVALID"),
        ({"min_child": "1.5"}, INVALID, "ALGORITHM_INVALID"),
        ({"min_child": 20, "max_child": 10}, INVALID, "ALGORITHM_INVALID"),
        ({"limit_price": Decimal(value="100.001")}, INVALID, "ALGORITHM_INVALID"),
        ({"time_in_force": order_pb2.TIME_IN_FORCE_IOC}, INVALID, "ALGORITHM_INVALID"),
    ],
    ids=["no end", "shorter than a slice", "past", "off lot", "min above max", "off tick", "ioc"],
)
async def test_what_cannot_be_planned_is_refused(
    changes: dict[str, Any], code: StatusCode, reason: str
) -> None:
    rig = await WorkingRig.started()
    error = await failure(rig.send(order("TWAP", **changes)))
    assert (error.code, error.reason) == (code, reason)
    assert await rig.rows("executions_parents") == []


async def test_a_quantity_below_the_smallest_lot_is_refused() -> None:
    rig = await WorkingRig.started()
    rig.marketdata.spec.min_quantity.value = "200"
    error = await failure(rig.send(order("TWAP")))
    assert (error.code, error.reason) == (INVALID, "ALGORITHM_INVALID")
    spec = order("TWAP")
    spec.quantity.value = "0.5"
    assert (await failure(rig.send(spec))).reason == "ALGORITHM_INVALID"


@pytest.mark.parametrize("share", ["0", "0.31", "-0.1"])
async def test_a_participation_outside_of_its_bounds_is_refused(share: str) -> None:
    rig = await WorkingRig.started()
    error = await failure(rig.send(order("POV", participation=share)))
    assert error.code is INVALID


async def test_a_window_that_starts_after_its_end_is_refused() -> None:
    rig = await WorkingRig.started()
    spec = order("TWAP")
    spec.algorithm.start_time.CopyFrom(to_timestamp(START_NS + 3600 * NS_PER_S))
    assert (await failure(rig.send(spec))).code is INVALID


async def test_a_display_above_the_quantity_is_refused() -> None:
    rig = await WorkingRig.started()
    error = await failure(rig.send(order("ICEBERG", minutes=0, display_quantity=101)))
    assert error.code is INVALID


async def test_an_unknown_algorithm_is_refused_never_sent_directly() -> None:
    rig = await WorkingRig.started()
    unknown = mothers.order(algorithm=AlgorithmSpec(kind=99))  # type: ignore[arg-type]
    assert (await failure(rig.send(unknown))).code is INVALID
    unset = mothers.order(algorithm=AlgorithmSpec(slice_interval=Duration(seconds=5)))
    assert (await failure(rig.send(unset))).code is INVALID
    assert rig.venue.places == []


async def test_an_instrument_that_nobody_knows_is_refused() -> None:
    rig = await WorkingRig.started()
    spec = order("TWAP")
    spec.instrument = "BETA.XSIM"
    error = await failure(rig.send(spec))
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "INSTRUMENT_UNKNOWN")


async def test_an_order_without_approval_is_refused() -> None:
    rig = await WorkingRig.started()
    request = mothers.start(order("TWAP"), rig.clock.now_ns())
    request.decision.token = b""
    error = await failure(rig.execution.start_execution(request))
    assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "NOT_APPROVED")
    assert await rig.rows("plans") == []


async def test_an_older_writer_of_orders_is_refused() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP"), epoch=3)
    error = await failure(rig.send(order("TWAP", client_order_id="order-2"), epoch=2))
    assert (error.code, error.reason) == (StatusCode.ABORTED, "EPOCH_SUPERSEDED")
