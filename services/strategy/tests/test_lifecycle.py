"""Creating, starting, changing, pausing and stopping strategies."""

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1 import money_pb2, signal_pb2

from runtime.errors import BadRequest, ErrorInfo, ServiceError
from services.strategy.tests.fakes import ALPHA, BETA, INDEX
from services.strategy.tests.rig import Rig, creation, square

CLOSE = signal_pb2.SIGNAL_ACTION_CLOSE
OPEN = signal_pb2.SIGNAL_ACTION_OPEN
PUBLISHED = signal_pb2.SIGNAL_STATUS_PUBLISHED


async def refused(work: Any) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await work
    return raised.value


def ask(strategy_id: str, **more: Any) -> dict[str, Any]:
    return {"strategy_id": strategy_id, "request_id": "r-1"} | more


async def pause(rig: Rig, strategy_id: str) -> pb.Strategy:
    request = pb.PauseStrategyRequest(**ask(strategy_id, request_id="pause"))
    return (await rig.client.pause_strategy(request)).strategy


async def resume(rig: Rig, strategy_id: str) -> pb.Strategy:
    request = pb.StartStrategyRequest(**ask(strategy_id, request_id="resume"))
    return (await rig.client.start_strategy(request)).strategy


async def stop(rig: Rig, strategy_id: str, *, is_flatten: bool = False) -> pb.Strategy:
    request = pb.StopStrategyRequest(**ask(strategy_id, is_flatten=is_flatten))
    return (await rig.client.stop_strategy(request)).strategy


async def test_a_new_strategy_shows_its_complete_configuration() -> None:
    async with Rig() as rig:
        created = await rig.create(parameters={"fast": 3})
        assert await rig.get(created.strategy_id) == created
    assert dict(created.parameters) == {"fast": 3.0, "slow": 5.0, "mode": "STOP_AND_REVERSE"}
    assert created.exit.max_loss.value == "0.02"
    assert (created.state, created.config_version, created.etag) == (
        pb.STRATEGY_STATE_CREATED,
        1,
        "1",
    )


async def test_a_repeated_creation_gets_the_first_answer() -> None:
    async with Rig() as rig:
        assert await rig.create() == await rig.create()
        error = await refused(rig.create(account="other"))
        listed = await rig.client.list_strategies(pb.ListStrategiesRequest())
    assert error.code is StatusCode.ALREADY_EXISTS
    assert len(listed.strategies) == 1


async def test_a_check_stores_nothing() -> None:
    async with Rig() as rig:
        checked = await rig.create(validate_only=True)
        listed = await rig.client.list_strategies(pb.ListStrategiesRequest())
    assert (checked.strategy_id, list(listed.strategies)) == ("", [])


async def test_strategies_are_listed_in_pages_oldest_first() -> None:
    async with Rig() as rig:
        made = [await rig.create(request_id=f"c-{n}") for n in range(3)]
        first = await rig.client.list_strategies(pb.ListStrategiesRequest(page_size=2))
        rest = await rig.client.list_strategies(
            pb.ListStrategiesRequest(page_size=2, page_token=first.next_page_token)
        )
        foreign = pb.ListSignalsRequest(instrument=ALPHA, page_token=first.next_page_token)
        error = await refused(rig.client.list_signals(foreign))
    assert [*first.strategies, *rest.strategies] == made
    assert error.reason == "PAGE_TOKEN_FOREIGN"


EUROS = money_pb2.Money(amount=Decimal(value="5"), currency="EUR")
ZERO = Decimal(value="0")


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"instruments": ["NONE.XSIM"]}, StatusCode.NOT_FOUND, "INSTRUMENT_UNKNOWN"),
        ({"instruments": [INDEX]}, StatusCode.FAILED_PRECONDITION, "NOT_TRADABLE"),
        ({"kind": pb.STRATEGY_KIND_NWE}, StatusCode.INVALID_ARGUMENT, "PARAMETER_INVALID"),
        ({"parameters": {"fast": 9}}, StatusCode.INVALID_ARGUMENT, "PARAMETER_INVALID"),
        (
            {"sizing": signal_pb2.Sizing(notional=EUROS)},
            StatusCode.INVALID_ARGUMENT,
            "SIZING_INVALID",
        ),
        (
            {"exit": pb.ExitConfig(max_loss=ZERO, is_initial_stop_off=True)},
            StatusCode.FAILED_PRECONDITION,
            "NO_PROTECTION",
        ),
    ],
)
async def test_a_configuration_that_cannot_work_is_refused_with_its_reason(
    changes: dict[str, Any], code: StatusCode, reason: str
) -> None:
    async with Rig() as rig:
        error = await refused(rig.create(**changes))
        assert (error.code, error.reason) == (code, reason)
        assert not (await rig.client.list_strategies(pb.ListStrategiesRequest())).strategies


async def test_a_refused_parameter_is_named_by_its_path() -> None:
    parameters = Struct()
    parameters.update({"fast": float("nan")})
    async with Rig() as rig:
        error = await refused(rig.client.create_strategy(_with_parameters(parameters)))
    details = error.detail(BadRequest)
    assert details is not None
    assert [violation.field for violation in details.field_violations] == ["parameters.fast"]


def _with_parameters(parameters: Struct) -> pb.CreateStrategyRequest:
    request = creation()
    request.parameters.CopyFrom(parameters)
    return request


async def test_a_start_without_enough_history_says_what_is_there_and_what_is_needed() -> None:
    async with Rig() as rig:
        rig.store(square(9))
        await rig.settle()
        error = await refused(rig.started(is_cold=False))
    info = error.detail(ErrorInfo)
    assert info is not None
    assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "NOT_WARM")
    assert dict(info.metadata) == {"instrument": ALPHA, "have": "9", "need": "15"}


async def test_a_paused_strategy_opens_nothing_and_keeps_what_it_would_have_done() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(16))
        assert (await pause(rig, strategy_id)).state == pb.STRATEGY_STATE_PAUSED
        await rig.feed(square(21)[16:])
        stored = await rig.signals()
        assert (await resume(rig, strategy_id)).state == pb.STRATEGY_STATE_RUNNING
        await rig.feed(square(25)[21:])
        published = await rig.published()
    assert [list(s.filter_reasons) for s in stored] == 2 * [[signal_pb2.FILTER_REASON_PAUSED]]
    assert not any(s.HasField("header") for s in stored)
    assert [s.header.sequence for s in published] == [1]


async def test_a_paused_strategy_still_exits() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(17))
        await rig.fill((await rig.signals())[0], -10, 100)
        await pause(rig, strategy_id)
        await rig.feed(square(21)[17:])
        closing = (await rig.signals())[1]
    assert (closing.action, closing.status) == (CLOSE, PUBLISHED)
    assert closing.stop_source == signal_pb2.STOP_SOURCE_MAX_LOSS


async def test_a_stopped_strategy_does_nothing_but_learns_of_its_fills() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(17))
        (signal,) = await rig.signals()
        assert (await stop(rig, strategy_id)).state == pb.STRATEGY_STATE_STOPPED
        await rig.fill(signal, -10, 100)
        await rig.feed(square(30)[17:])
        strategy = await rig.get(strategy_id)
        assert len(await rig.signals()) == 1
        error = await refused(resume(rig, strategy_id))
    assert strategy.views[0].position.value == "-10"
    assert (strategy.counters.evaluated, error.reason) == (17, "WRONG_STATE")


async def test_stopping_flat_closes_what_is_held_and_then_stops() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(17))
        await rig.fill((await rig.signals())[0], -10, 100)
        stopping = await stop(rig, strategy_id, is_flatten=True)
        closing = (await rig.published())[-1]
        await rig.fill(closing, 10, 100)
        stopped = await rig.get(strategy_id)
    assert (stopping.state, stopping.is_stopping) == (pb.STRATEGY_STATE_PAUSED, True)
    assert (closing.action, closing.votes[0].name) == (CLOSE, "FLATTEN")
    assert (stopped.state, stopped.is_stopping) == (pb.STRATEGY_STATE_STOPPED, False)


async def test_a_close_that_came_to_nothing_is_repeated_after_the_next_candle() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(17))
        await rig.fill((await rig.signals())[0], -10, 100)
        await stop(rig, strategy_id, is_flatten=True)
        await rig.report(rig.event((await rig.published())[-1]))
        await rig.feed([100.0])
        closes = [s for s in await rig.published() if s.action == CLOSE]
    assert [s.header.sequence for s in closes] == [2, 3]


async def test_a_change_is_a_new_version_from_the_next_candle_on() -> None:
    parameters = Struct()
    parameters.update({"fast": 2, "slow": 5, "mode": "LONG_ONLY"})
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(17))
        etag = (await rig.get(strategy_id)).etag
        request = pb.UpdateStrategyRequest(**ask(strategy_id, etag=etag, parameters=parameters))
        changed = (await rig.client.update_strategy(request)).strategy
        stale = pb.UpdateStrategyRequest(**ask(strategy_id, etag=etag, request_id="r-2"))
        error = await refused(rig.client.update_strategy(stale))
        await rig.feed(square(25)[17:])
        signals = await rig.signals()
    assert (changed.config_version, dict(changed.parameters)["mode"]) == (2, "LONG_ONLY")
    assert (error.code, error.reason) == (StatusCode.ABORTED, "ETAG_MISMATCH")
    assert [(s.config_version, s.action) for s in signals] == [(1, OPEN), (2, OPEN), (2, CLOSE)]


async def test_instruments_change_only_before_the_start() -> None:
    async with Rig() as rig:
        created = await rig.create()
        ask_beta = ask(created.strategy_id, etag=created.etag, instruments=[BETA])
        changed = (await rig.client.update_strategy(pb.UpdateStrategyRequest(**ask_beta))).strategy
        assert list(changed.instruments) == [BETA]
        start = pb.StartStrategyRequest(**ask(created.strategy_id, is_cold_start_allowed=True))
        running = (await rig.client.start_strategy(start)).strategy
        again = ask(created.strategy_id, etag=running.etag, instruments=[ALPHA], request_id="r-3")
        error = await refused(rig.client.update_strategy(pb.UpdateStrategyRequest(**again)))
    assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "WRONG_STATE")


async def test_an_unknown_strategy_is_not_found() -> None:
    async with Rig() as rig:
        error = await refused(rig.get("nobody"))
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "STRATEGY_UNKNOWN")


async def test_given_candles_are_evaluated_and_nothing_is_stored() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(17))
        candles = [item.candle for item in rig.market.items]
        subject = pb.EvaluateCandleRequest(strategy_id=strategy_id, candles=candles)
        judged = (await rig.client.evaluate_candle(subject)).evaluation
        cold = pb.EvaluateCandleRequest(strategy_id=strategy_id, candles=candles[-3:])
        unready = (await rig.client.evaluate_candle(cold)).evaluation
        mixed = pb.EvaluateCandleRequest(strategy_id=strategy_id, candles=candles)
        mixed.candles[3].instrument = BETA
        error = await refused(rig.client.evaluate_candle(mixed))
        (live,) = await rig.signals()
    live.ClearField("header")
    assert list(judged.signals) == [live]
    assert judged.outcome == pb.EVALUATION_OUTCOME_SIGNALLED
    assert unready.outcome == pb.EVALUATION_OUTCOME_NOT_WARM
    assert error.reason == "CANDLES_MIXED"
