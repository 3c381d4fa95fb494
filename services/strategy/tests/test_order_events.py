"""Positions follow order events, and nothing else."""

import pytest
from grpc import StatusCode
from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1 import execution_pb2, signal_pb2

from runtime.errors import ErrorInfo, ServiceError
from services.strategy.tests.fakes import decimal
from services.strategy.tests.rig import Rig, square

CLOSE = signal_pb2.SIGNAL_ACTION_CLOSE


async def opened(rig: Rig) -> signal_pb2.Signal:
    """Start a strategy and return its first signal, a short one at 100."""
    await rig.started()
    await rig.feed(square(17))
    return (await rig.signals())[0]


async def view(rig: Rig, signal: signal_pb2.Signal) -> pb.StrategyInstrument:
    return (await rig.get(signal.strategy_id)).views[0]


async def test_a_strategy_learns_of_its_fill_from_order_events_only() -> None:
    async with Rig() as rig:
        signal = await opened(rig)
        await rig.feed([100.0])
        assert (await view(rig, signal)).position.value == "0"
        await rig.fill(signal, -4, 100)
        await rig.fill(signal, -6, 101)
        held = await view(rig, signal)
    assert (held.position.value, held.entry_price.value) == ("-10", "100.6")
    assert held.stop_source == signal_pb2.STOP_SOURCE_MAX_LOSS
    assert held.stop_price.value == "102.61"  # 100.6 + 2 %, on tick toward the entry.


async def test_an_event_reported_twice_counts_once() -> None:
    async with Rig() as rig:
        signal = await opened(rig)
        event = await rig.fill(signal, -10, 100)
        assert await rig.report(event) == 1
        assert (await view(rig, signal)).position.value == "-10"


async def test_a_missing_event_is_asked_for_and_nothing_of_the_call_is_taken() -> None:
    async with Rig() as rig:
        signal = await opened(rig)
        first, _, third = (rig.event(signal, -1, 100) for _ in range(3))
        with pytest.raises(ServiceError) as raised:
            await rig.report(first, third)
        info = raised.value.detail(ErrorInfo)
        assert (await view(rig, signal)).position.value == "0"
    assert (raised.value.code, raised.value.reason) == (StatusCode.ABORTED, "EVENT_GAP")
    assert info is not None
    assert dict(info.metadata) == {"expected": "2"}


async def test_events_of_an_unknown_strategy_do_not_block_the_batch() -> None:
    async with Rig() as rig:
        signal = await opened(rig)
        foreign, ours = rig.event(signal, -1, 100), rig.event(signal, -3, 100)
        foreign.order.spec.strategy_id = "somebody-else"
        assert await rig.report(foreign, ours) == 2
        assert (await view(rig, signal)).position.value == "-3"


async def test_a_busted_trade_is_taken_back() -> None:
    async with Rig() as rig:
        signal = await opened(rig)
        await rig.fill(signal, -4, 100)
        wrong = await rig.fill(signal, -6, 101)
        bust = rig.event(signal, -6, 101)
        bust.execution.exec_type = execution_pb2.EXEC_TYPE_TRADE_CANCEL
        bust.execution.exec_ref_id = wrong.execution.exec_id
        await rig.report(bust)
        held = await view(rig, signal)
    assert (held.position.value, held.entry_price.value) == ("-4", "100")


async def test_a_corrected_trade_counts_as_corrected() -> None:
    async with Rig() as rig:
        signal = await opened(rig)
        wrong = await rig.fill(signal, -6, 101)
        correction = rig.event(signal, -5, 102)
        correction.execution.exec_type = execution_pb2.EXEC_TYPE_TRADE_CORRECT
        correction.execution.exec_ref_id = wrong.execution.exec_id
        await rig.report(correction)
        held = await view(rig, signal)
    assert (held.position.value, held.entry_price.value) == ("-5", "102")


async def test_the_initial_stop_closes_the_position() -> None:
    """Short at 100: the signal's stop lies between entry and the greatest loss."""
    async with Rig() as rig:
        signal = await opened(rig)
        signal.stop_price.CopyFrom(decimal(101))
        await rig.fill(signal, -10, 110)
        await rig.feed([100.0, 100.5])
        assert len(await rig.signals()) == 1
        held = await view(rig, signal)
        await rig.feed([float(held.stop_price.value)])
        closing = (await rig.signals())[-1]
    assert (closing.action, closing.stop_source) == (CLOSE, held.stop_source)
    assert closing.stop_price == held.stop_price


async def test_a_reversal_turns_the_position_with_one_signal() -> None:
    async with Rig() as rig:
        signal = await opened(rig)
        await rig.fill(signal, -10, 100)
        await rig.feed(square(21)[17:])
        turning = (await rig.signals())[1]
        await rig.fill(turning, 20, 110)
        held = await view(rig, signal)
        assert len(await rig.signals()) == 2
    assert turning.action == signal_pb2.SIGNAL_ACTION_OPEN
    assert (held.position.value, held.entry_price.value) == ("10", "110")


async def closes(rig: Rig) -> int:
    return len([one for one in await rig.signals() if one.action == CLOSE])


async def test_an_exit_is_not_repeated_while_its_order_may_be_under_way() -> None:
    """A signal of a minute's candle holds until the next one closes."""
    async with Rig() as rig:
        signal = await opened(rig)
        await rig.fill(signal, -10, 90)
        counts = []
        for _ in range(4):
            await rig.feed([100.0])
            counts.append(await closes(rig))
    assert counts == [1, 1, 2, 2]


async def test_an_exit_whose_order_came_to_nothing_is_repeated_at_once() -> None:
    async with Rig() as rig:
        signal = await opened(rig)
        await rig.fill(signal, -10, 90)
        await rig.feed([100.0])
        await rig.report(rig.event((await rig.signals())[-1]))
        await rig.feed([100.0])
        assert await closes(rig) == 2
