from contextlib import aclosing
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import order_pb2, risk_pb2
from trading.types.v1.order_pb2 import OrderSpec

from runtime.errors import ServiceError
from services.risk.tests import messages
from services.risk.tests.messages import event, execution, spec
from services.risk.tests.rig import Rig, failed, mode_request

FILLED = order_pb2.ORDER_STATUS_FILLED
SELL = order_pb2.SIDE_SELL
FIRM = pb.Scope(kind=pb.SCOPE_KIND_FIRM)
MINE = pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id=messages.ACCOUNT)


async def refused(work: object) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await work  # type: ignore[misc]
    return raised.value


async def filled(rig: Rig, sequence: int, asked: OrderSpec, price: str) -> None:
    """Approve an order and let it fill whole."""
    assert not failed(await rig.ask(asked))
    trade = execution(asked, asked.quantity.value, price, exec_id=f"x{sequence}")
    await rig.report(event(sequence, asked, "0", status=FILLED, execution=trade))


async def test_the_firms_halt_blocks_every_account_and_survives_a_restart() -> None:
    rig = await Rig.started()
    await rig.set_mode("HALTED", FIRM)
    assert failed(await rig.ask(spec())) == ["MODE_BLOCKED"]
    await rig.restart()
    assert failed(await rig.ask(spec(client_order_id="o2"))) == ["MODE_BLOCKED"]
    await rig.set_mode("ACTIVE", FIRM, "m2")
    assert not failed(await rig.ask(spec(client_order_id="o3")))
    await rig.stop()


@pytest.mark.parametrize(
    "scope",
    [
        FIRM,
        MINE,
        pb.Scope(kind=pb.SCOPE_KIND_STRATEGY, id=messages.STRATEGY),
        pb.Scope(kind=pb.SCOPE_KIND_INSTRUMENT, id=messages.INSTRUMENT),
    ],
    ids=["firm", "account", "strategy", "instrument"],
)
async def test_reducing_orders_pass_in_a_scope_that_may_only_reduce(scope: pb.Scope) -> None:
    rig = await Rig.started()
    await filled(rig, 1, spec(), "100")
    await rig.set_mode("REDUCE_ONLY", scope)
    assert failed(await rig.ask(spec("11", client_order_id="o2"))) == ["MODE_BLOCKED"]
    sale = spec(client_order_id="o3", side=SELL, protection=None)
    assert not failed(await rig.ask(sale))
    await rig.stop()


async def test_the_strictest_of_all_modes_holds() -> None:
    rig = await Rig.started()
    await filled(rig, 1, spec(), "100")
    await rig.set_mode("REDUCE_ONLY", FIRM, "m1")
    await rig.set_mode("CANCEL_ONLY", MINE, "m2")
    sale = spec(client_order_id="o3", side=SELL, protection=None)
    assert failed(await rig.ask(sale)) == ["MODE_BLOCKED"]
    state = await rig.state()
    assert state.mode == pb.TRADING_MODE_CANCEL_ONLY
    assert [mode.scope.kind for mode in state.modes] == [FIRM.kind, MINE.kind]
    await rig.stop()


async def test_a_trader_may_make_a_mode_stricter_and_not_looser() -> None:
    rig = await Rig.started()
    await rig.as_ana.set_trading_mode(mode_request("HALTED", MINE, "m1"))
    error = await refused(rig.as_ana.set_trading_mode(mode_request("ACTIVE", MINE, "m2")))
    assert (error.code, error.reason) == (StatusCode.PERMISSION_DENIED, "NOT_STRICTER")
    error = await refused(rig.risk.set_trading_mode(mode_request("ACTIVE", MINE, "m3")))
    assert error.reason == "NOT_STRICTER"
    await rig.set_mode("ACTIVE", MINE, "m4")
    await rig.stop()


async def test_a_mode_change_reaches_the_watchers_of_its_scope() -> None:
    rig = await Rig.started()
    request = pb.WatchRiskEventsRequest(scopes=[MINE], min_severity=risk_pb2.SEVERITY_WARNING)
    await rig.set_mode("HALTED", FIRM, "m1")
    await rig.set_mode("HALTED", MINE, "m2")
    await rig.restart()
    async with aclosing(rig.as_rita.watch_risk_events(request)) as stream:
        assert (await anext(stream)).sequence == 2
        found = await anext(stream)
        assert (found.sequence, found.event.observed) == (2, "HALTED")
        await rig.set_mode("ACTIVE", MINE, "m3")
        await rig.set_mode("REDUCE_ONLY", MINE, "m4")
        assert (await anext(stream)).event.observed == "REDUCE_ONLY"
    await rig.stop()


async def limits_of(rig: Rig, scope: pb.Scope) -> pb.GetLimitsResponse:
    return await rig.as_rita.get_limits(pb.GetLimitsRequest(scope=scope))


async def set_limits(
    rig: Rig, scope: pb.Scope, key: str, **changes: object
) -> pb.SetLimitsResponse:
    found = await limits_of(rig, scope)
    for name, value in changes.items():
        setattr(found.limits, name, value)
    request = pb.SetLimitsRequest(scope=scope, limits=found.limits, etag=found.etag, request_id=key)
    return await rig.as_rita.set_limits(request)


async def test_limits_of_an_account_replace_those_of_the_firm() -> None:
    rig = await Rig.started()
    await set_limits(rig, FIRM, "l1", order_lots_max=5)
    assert failed(await rig.ask(spec())) == ["QUANTITY_ABOVE_MAX"]
    changed = await set_limits(rig, MINE, "l2", order_lots_max=50)
    decision = await rig.ask(spec(client_order_id="o2"))
    assert not failed(decision)
    assert decision.limits_version == changed.version == 2
    await rig.restart()
    assert (await limits_of(rig, MINE)).limits.order_lots_max == 50
    assert (await limits_of(rig, MINE)).owner == MINE
    other = pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id="ACC-2")
    assert (await limits_of(rig, other)).owner == FIRM
    await rig.stop()


async def test_limits_that_changed_since_they_were_read_are_not_overwritten() -> None:
    rig = await Rig.started()
    old = await limits_of(rig, MINE)
    await set_limits(rig, MINE, "l1", order_lots_max=5)
    request = pb.SetLimitsRequest(scope=MINE, limits=old.limits, etag=old.etag, request_id="l2")
    error = await refused(rig.as_rita.set_limits(request))
    assert (error.code, error.reason) == (StatusCode.ABORTED, "LIMITS_CHANGED")
    await rig.stop()


@pytest.mark.parametrize("name", ["order_lots_max", "is_short_allowed", "order_notional_max"])
async def test_limits_with_a_missing_value_are_refused(name: Any) -> None:
    rig = await Rig.started()
    found = await limits_of(rig, MINE)
    found.limits.ClearField(name)
    request = pb.SetLimitsRequest(scope=MINE, limits=found.limits, etag=found.etag, request_id="l1")
    error = await refused(rig.as_rita.set_limits(request))
    assert error.code is StatusCode.INVALID_ARGUMENT
    await rig.stop()


async def test_limits_with_a_negative_value_or_an_endless_window_are_refused() -> None:
    rig = await Rig.started()
    for changes in ({"open_orders_max": -1}, {"order_notional_max": Decimal(value="-1")}):
        found = await limits_of(rig, MINE)
        found.limits.MergeFrom(pb.Limits(**changes))
        request = pb.SetLimitsRequest(
            scope=MINE, limits=found.limits, etag=found.etag, request_id="l1"
        )
        error = await refused(rig.as_rita.set_limits(request))
        assert error.code is StatusCode.INVALID_ARGUMENT
    found = await limits_of(rig, MINE)
    found.limits.duplicate_window.CopyFrom(Duration(seconds=61))
    request = pb.SetLimitsRequest(scope=MINE, limits=found.limits, etag=found.etag, request_id="l2")
    assert (await refused(rig.as_rita.set_limits(request))).code is StatusCode.INVALID_ARGUMENT
    await rig.stop()
