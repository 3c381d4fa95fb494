import pytest
from google.type.decimal_pb2 import Decimal
from trading.risk.v1 import risk_pb2 as pb
from trading.strategy.v1 import strategy_pb2
from trading.types.v1 import signal_pb2
from trading.types.v1.risk_pb2 import (
    RISK_VERDICT_APPROVED,
    RISK_VERDICT_RESIZED,
)
from trading.types.v1.signal_pb2 import Sizing

from runtime.errors import ServiceError
from runtime.times import to_timestamp
from services.risk.tests import messages
from services.risk.tests.rig import Rig, failed


async def refused(work: object) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await work  # type: ignore[misc]
    return raised.value


async def validate(rig: Rig, number: int = 1, **changes: object) -> pb.ValidateSignalResponse:
    request = pb.ValidateSignalRequest(signal=messages.signal(number, **changes))
    return await rig.risk.validate_signal(request)


async def test_a_signal_is_approved_with_what_sizing_needs() -> None:
    rig = await Rig.started()
    answer = await validate(rig)
    assert answer.decision.verdict == RISK_VERDICT_APPROVED
    assert answer.equity.amount.value == "1000000"
    assert (answer.max_quantity.value, answer.sizing_price.value) == ("2000", "100")
    assert answer.position.value == "0"
    assert await validate(rig) == answer
    await rig.restart()
    assert await validate(rig) == answer
    await rig.stop()


async def test_a_signal_that_wants_too_much_is_resized() -> None:
    rig = await Rig.started()
    answer = await validate(rig, sizing=Sizing(quantity=Decimal(value="3000")))
    assert answer.decision.verdict == RISK_VERDICT_RESIZED
    assert answer.decision.approved_quantity.value == "2000"
    await rig.stop()


async def test_an_expired_signal_is_refused() -> None:
    rig = await Rig.started()
    answer = await validate(rig, valid_until=to_timestamp(messages.START_NS - 1))
    assert failed(answer.decision) == ["SIGNAL_EXPIRED"]
    assert answer.max_quantity.value == "0"
    await rig.stop()


async def test_a_second_signal_of_the_same_candle_is_refused_also_after_a_restart() -> None:
    rig = await Rig.started()
    first = messages.signal(1)
    await validate(rig)
    await rig.restart()
    answer = await validate(rig, 2, candle_open_time=first.candle_open_time)
    assert failed(answer.decision) == ["SIGNAL_DUPLICATE"]
    await rig.stop()


async def test_signals_of_a_strategy_that_does_not_run_are_refused() -> None:
    rig = await Rig.started()
    rig.strategies.states["strategy-1"] = strategy_pb2.STRATEGY_STATE_PAUSED
    assert failed((await validate(rig)).decision) == ["STRATEGY_NOT_RUNNING"]
    close = signal_pb2.SIGNAL_ACTION_CLOSE
    assert not failed((await validate(rig, 2, action=close)).decision)
    assert failed((await validate(rig, 3, strategy_id="nobody")).decision) == [
        "STRATEGY_NOT_RUNNING"
    ]
    await rig.stop()


async def test_a_strategy_service_that_is_away_decides_nothing() -> None:
    rig = await Rig.started()
    rig.strategies.is_away = True
    error = await refused(validate(rig))
    assert not error.definite
    rig.strategies.is_away = False
    assert (await validate(rig)).decision.verdict == RISK_VERDICT_APPROVED
    await rig.stop()
