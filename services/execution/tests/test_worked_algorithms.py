"""Each algorithm behaves as the table says: volumes, shares, display, urgency."""

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import market_pb2, order_pb2
from trading.types.v1.market_pb2 import CANDLE_KIND_CLOSE_ONLY, CANDLE_KIND_OHLCV, Candle
from trading.types.v1.order_pb2 import EXECUTION_STYLE_CROSS

from runtime.times import NS_PER_S, to_timestamp
from services.execution.tests.mothers import START_NS
from services.execution.tests.rig import failure
from services.execution.tests.working import MINUTE_NS, WorkingRig, order

HALF_HOUR_NS = 30 * MINUTE_NS
DAY_NS = 24 * 3600 * NS_PER_S
State = pb.ExecutionState


def candle(open_ns: int, volume: str, kind: "market_pb2.CandleKind.ValueType") -> Candle:
    made = Candle(
        kind=kind,
        open_time=to_timestamp(open_ns),
        close_time=to_timestamp(open_ns + HALF_HOUR_NS),
        close=Decimal(value="100"),
    )
    if volume:
        made.volume.value = volume
    return made


async def test_volume_weights_follow_the_sessions_when_there_are_volumes() -> None:
    rig = await WorkingRig.started()
    midnight = START_NS - START_NS % DAY_NS
    rig.marketdata.candles[market_pb2.TIMEFRAME_MINUTE_30] = [
        candle(midnight - day * DAY_NS + i * HALF_HOUR_NS, "100", CANDLE_KIND_OHLCV)
        for day in range(5, 0, -1)
        for i in range(48)
    ]
    answer = await rig.send(order("VWAP"))
    assert answer.plan.profile == "session volume profile"
    assert [s.target.value for s in (await rig.state()).slices][:3] == ["10", "20", "30"]


async def test_volume_weights_without_volumes_are_u_shaped_and_say_so() -> None:
    rig = await WorkingRig.started()
    answer = await rig.send(order("VWAP", quantity=1_000))
    assert answer.plan.profile == "U-shape"
    targets = [int(s.target.value) for s in (await rig.state()).slices]
    assert targets[0] > 130
    assert targets[-1] == 1_000


async def test_a_front_loaded_order_trades_most_in_its_first_slice() -> None:
    rig = await WorkingRig.started()
    spec = order("IMPLEMENTATION_SHORTFALL", urgency=5, style=EXECUTION_STYLE_CROSS)
    await rig.send(spec)
    await rig.pass_s(610)
    sizes = [lots for _, lots in rig.sent]
    assert sizes[0] == max(sizes) == 39
    assert sum(sizes) == 100


async def test_zero_risk_aversion_equals_the_time_weighted_schedule() -> None:
    rig = await WorkingRig.started()
    spec = order("IMPLEMENTATION_SHORTFALL", risk_aversion=0.0, volatility=0.02, impact=1e-6)
    await rig.send(spec)
    await rig.send(order("TWAP", client_order_id="order-2"))
    patient, even = await rig.state("order-1"), await rig.state("order-2")
    assert [s.target for s in patient.slices] == [s.target for s in even.slices]


async def test_a_share_of_the_volume_is_taken_and_never_more() -> None:
    rig = await WorkingRig.started()
    rig.venue.trade(10_000)  # Before it began: it does not count.
    spec = order("POV", participation="0.2", style=EXECUTION_STYLE_CROSS)
    await rig.send(spec)
    await rig.pass_s(3)
    assert rig.sent == []
    others = 0
    for _ in range(20):
        rig.venue.trade(17)
        others += 17
        await rig.pass_s(1.5)
        filled, working, doubtful, _ = await rig.parts()
        assert 4 * (filled + working + doubtful) <= others
    assert (await rig.parts())[0] >= others // 4 - 8


async def test_a_share_of_a_dead_market_is_nothing_and_the_remainder_is_canceled() -> None:
    rig = await WorkingRig.started()
    await rig.send(order("POV", minutes=1))
    await rig.pass_s(62)
    assert rig.sent == []
    assert (await rig.state()).state == State.EXECUTION_STATE_CANCELED


async def test_a_share_of_the_volume_needs_volumes() -> None:
    rig = await WorkingRig.started()
    kept = candle(START_NS - HALF_HOUR_NS, "", CANDLE_KIND_CLOSE_ONLY)
    rig.marketdata.candles[market_pb2.TIMEFRAME_DAY_1] = [kept]
    error = await failure(rig.send(order("POV")))
    assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "VOLUME_UNKNOWN")
    rig.marketdata.candles.clear()
    rig.venue.is_book_shown = False
    assert (await failure(rig.send(order("POV")))).reason == "VOLUME_UNKNOWN"
    assert await rig.rows("executions_parents") == []


async def test_the_iceberg_shows_one_slice_and_refills_it() -> None:
    rig = await WorkingRig.started()
    limit = Decimal(value="99.9")
    await rig.send(order("ICEBERG", minutes=0, display_quantity=10, limit_price=limit))
    shown = []
    while (await rig.state()).state == State.EXECUTION_STATE_WORKING:
        await rig.pass_s(2)
        ((name, lots),) = rig.venue.resting().items()
        shown.append(lots)
        rig.venue.take(name, lots)
        await rig.rest()
    assert sum(shown) == 100
    assert all(8 <= lots <= 12 for lots in shown[:-1])
    assert len(set(shown)) > 1
    assert (await rig.parts())[0] == 100


async def test_an_iceberg_partly_taken_is_not_refilled_yet() -> None:
    rig = await WorkingRig.started()
    limit = Decimal(value="99.9")
    await rig.send(order("ICEBERG", minutes=0, display_quantity=10, limit_price=limit))
    await rig.pass_s(1)
    rig.venue.take("order-1/1", 5)
    await rig.pass_s(60)
    assert len(rig.sent) == 1


async def test_a_venue_with_icebergs_hides_the_rest_itself() -> None:
    rig = WorkingRig()
    rig.venue.has_icebergs = True
    await rig.start()
    limit = Decimal(value="99.9")
    await rig.send(order("ICEBERG", minutes=0, display_quantity=10, limit_price=limit))
    await rig.pass_s(1)
    (placed,) = rig.venue.places
    assert (placed.order.quantity.value, placed.order.display_quantity.value) == ("100", "10")


async def test_selling_meets_the_bids() -> None:
    rig = await WorkingRig.started()
    spec = order(
        "TWAP",
        side=order_pb2.SIDE_SELL,
        limit_price=Decimal(value="95"),
        style=EXECUTION_STYLE_CROSS,
    )
    await rig.send(spec)
    await rig.pass_s(15)
    assert rig.venue.places[0].order.limit_price.value == "99.9"


async def test_small_slices_are_carried_and_the_last_one_sends_the_rest() -> None:
    rig = await WorkingRig.started()
    spec = order("TWAP", quantity=25, min_child=4, style=EXECUTION_STYLE_CROSS)
    await rig.send(spec)
    await rig.pass_s(610)
    sizes = [lots for _, lots in rig.sent]
    assert sum(sizes) == 25
    assert all(lots >= 4 for lots in sizes[:-1])


async def test_a_missed_slice_is_caught_up_within_the_cap() -> None:
    rig = await WorkingRig.started()
    spec = order("TWAP", max_child=25, style=EXECUTION_STYLE_CROSS)
    await rig.send(spec)
    await rig.pass_s(15)
    await rig.crash()
    await rig.pass_s(5 * 60)
    await rig.start()
    await rig.pass_s(1)
    assert [lots for _, lots in rig.sent] == [10, 25]
    outcomes = [one.outcome for one in (await rig.state()).slices]
    assert outcomes.count("MERGED") == 4
    await rig.pass_s(300)
    assert [lots for _, lots in rig.sent][:4] == [10, 25, 25, 20]
    assert (await rig.parts()) == (100, 0, 0, 0)
