"""Figures of executions: what they cost against arrival and market, planned and real."""

import pytest
from google.type.decimal_pb2 import Decimal
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import market_pb2
from trading.types.v1.market_pb2 import CANDLE_KIND_OHLCV
from trading.types.v1.order_pb2 import EXECUTION_STYLE_CROSS

from services.execution.algorithms.analysis import (
    Checkpoint,
    Fill,
    Printed,
    average_ticks,
    maker_share,
    market_vwap,
    participation,
    schedule_error,
    slippage_bp,
)
from services.execution.tests import mothers
from services.execution.tests.mothers import ANA, START_NS
from services.execution.tests.rig import failure
from services.execution.tests.test_worked_algorithms import DAY_NS, HALF_HOUR_NS, candle
from services.execution.tests.working import WorkingRig, order

FILLS = [
    Fill("a/1", 30, 10_010.0, 10, is_maker=False),
    Fill("a/2", 10, 9_990.0, 20, is_maker=True),
]


def test_slippage_is_a_cost_when_positive_on_either_side() -> None:
    average = average_ticks(FILLS)
    assert average == 10_005
    assert slippage_bp(average, 10_000, is_buy=True) == pytest.approx(5.0)
    assert slippage_bp(average, 10_000, is_buy=False) == pytest.approx(-5.0)
    assert slippage_bp(None, 10_000, is_buy=True) is None
    assert slippage_bp(average, None, is_buy=True) is None


def test_shares_are_of_quantity_and_of_volume() -> None:
    assert maker_share(FILLS) == 0.25
    assert maker_share([]) == 0.0
    assert participation(FILLS, Printed(400, 4e6)) == 0.1
    assert participation(FILLS, None) is None
    assert market_vwap(Printed(400, 4_004_000.0)) == 10_010
    assert market_vwap(Printed(0, 0.0)) is None


def test_the_schedule_error_is_the_largest_distance_from_a_target() -> None:
    checkpoints = [Checkpoint(15, 25), Checkpoint(25, 50)]
    assert schedule_error(FILLS, checkpoints, 50) == 0.2
    assert schedule_error(FILLS, [], 50) == 0.0


async def analysis(rig: WorkingRig, name: str = "order-1") -> pb.GetExecutionAnalysisResponse:
    request = pb.GetExecutionAnalysisRequest(account=ANA, client_order_id=name)
    return await rig.service.get_execution_analysis(request)


async def test_an_execution_is_measured_against_arrival_and_market() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(300)
    rig.venue.trade(50, 10_100)
    await rig.pass_s(310)
    rig.venue.trade(10_000, 5_000)  # After its end: it does not count.
    found = await analysis(rig)
    assert found.arrival_slippage_bp == pytest.approx(10.0)
    market = (100 * 10_010 + 50 * 10_100) / 150
    assert found.vwap_slippage_bp == pytest.approx((10_010 - market) / market * 10_000)
    assert found.participation == pytest.approx(100 / 150)
    assert (found.schedule_error, found.maker_share) == (0.0, 0.0)
    assert len(found.children) == 10
    assert found.children[0].average_price.value == "100.1"
    assert found.children[0].arrival_slippage_bp == pytest.approx(10.0)


async def test_slices_that_were_missed_are_an_error_of_the_schedule() -> None:
    rig = await WorkingRig.started()
    rig.venue.depth_lots = 0
    await rig.send(order("TWAP", style=EXECUTION_STYLE_CROSS))
    await rig.pass_s(200)
    assert (await analysis(rig)).schedule_error >= 0.2


async def test_a_direct_execution_has_figures_of_its_fills() -> None:
    rig = await WorkingRig.started()
    await rig.send(mothers.order())
    await rig.rest()
    found = await analysis(rig)
    assert not found.HasField("arrival_slippage_bp")
    assert [child.child_order_id for child in found.children] == ["order-1"]


async def test_an_execution_nobody_started_has_no_figures() -> None:
    rig = await WorkingRig.started()
    assert (await failure(analysis(rig, "nothing"))).reason == "EXECUTION_UNKNOWN"


async def preview(rig: WorkingRig, request: pb.PreviewExecutionRequest) -> list[int]:
    answer = await rig.service.preview_execution(request)
    return [int(one.quantity.value) for one in answer.slices]


async def test_a_preview_shows_the_slices_and_keeps_nothing() -> None:
    rig = await WorkingRig.started()
    assert await preview(rig, pb.PreviewExecutionRequest(order=order("TWAP"))) == [10] * 10
    given = pb.PreviewExecutionRequest(order=order("VWAP"), profile=[3.0, 1.0])
    assert await preview(rig, given) == [15] * 5 + [5] * 5
    assert await preview(rig, pb.PreviewExecutionRequest(order=order("POV"))) == [100]
    iceberg = order("ICEBERG", minutes=0)
    assert await preview(rig, pb.PreviewExecutionRequest(order=iceberg)) == [10]
    assert await preview(rig, pb.PreviewExecutionRequest(order=mothers.order())) == [10]
    assert await rig.rows("plans") == []
    assert rig.sent == []


async def test_a_preview_estimates_participation_and_cost() -> None:
    rig = await WorkingRig.started()
    midnight = START_NS - START_NS % DAY_NS
    rig.marketdata.candles[market_pb2.TIMEFRAME_MINUTE_30] = [
        candle(midnight - DAY_NS + i * HALF_HOUR_NS, "2700", CANDLE_KIND_OHLCV) for i in range(48)
    ]
    request = pb.PreviewExecutionRequest(order=order("TWAP", style=EXECUTION_STYLE_CROSS))
    answer = await rig.service.preview_execution(request)
    assert answer.expected_participation == pytest.approx(100 / (100 + 900), rel=1e-3)
    assert answer.expected_cost_bp == pytest.approx(10.0)
    share = pb.PreviewExecutionRequest(order=order("POV", participation="0.25"))
    assert (await rig.service.preview_execution(share)).expected_participation == 0.25


async def test_a_preview_refuses_what_a_start_would_refuse() -> None:
    rig = await WorkingRig.started()
    past = pb.PreviewExecutionRequest(order=order("TWAP", minutes=-1))
    assert (await failure(rig.service.preview_execution(past))).reason == "WINDOW_INVALID"
    wrong = order("TWAP", limit_price=Decimal(value="100.001"))
    bad = pb.PreviewExecutionRequest(order=wrong)
    assert (await failure(rig.service.preview_execution(bad))).reason == "ALGORITHM_INVALID"
