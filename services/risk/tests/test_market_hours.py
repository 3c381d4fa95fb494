"""What risk learns of markets: sessions, quotes, and the lists that firm and account keep."""

from google.type.decimal_pb2 import Decimal
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import order_pb2
from trading.types.v1.market_pb2 import Quote

from runtime.times import to_timestamp
from services.risk.tests import messages
from services.risk.tests.messages import spec
from services.risk.tests.rig import Rig, failed

FIRM = pb.Scope(kind=pb.SCOPE_KIND_FIRM)
MINE = pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id=messages.ACCOUNT)
IOC = order_pb2.TIME_IN_FORCE_IOC
DAY_NS = 86_400 * 10**9
MIDNIGHT_NS = (messages.START_NS // DAY_NS + 1) * DAY_NS


async def set_limits(rig: Rig, scope: pb.Scope, **changes: object) -> None:
    found = await rig.as_rita.get_limits(pb.GetLimitsRequest(scope=scope))
    found.limits.MergeFrom(pb.Limits(**changes))  # type: ignore[arg-type]
    key = f"l{scope.kind}-{found.version}"
    request = pb.SetLimitsRequest(scope=scope, limits=found.limits, etag=found.etag, request_id=key)
    await rig.as_rita.set_limits(request)


async def with_hours() -> Rig:
    """Return risk beside a market that opens at midnight for eight hours."""
    rig = await Rig.started()
    rig.marketdata.instruments[messages.INSTRUMENT].calendar = "XEXA"
    return rig


async def test_an_immediate_order_waits_for_no_session() -> None:
    rig = await with_hours()
    assert "SESSION_CLOSED" not in failed(await rig.ask(spec()))
    order = spec("11", client_order_id="o2", time_in_force=IOC)
    assert "SESSION_CLOSED" in failed(await rig.ask(order))
    rig.clock.skip_to(MIDNIGHT_NS)
    order = spec("12", client_order_id="o3", time_in_force=IOC)
    assert "SESSION_CLOSED" not in failed(await rig.ask(order))
    await rig.stop()


async def test_nothing_leaves_when_no_session_comes_within_a_week() -> None:
    rig = await with_hours()
    today = messages.START_NS // DAY_NS
    rig.marketdata.holidays = set(range(today + 1, today + 8))
    assert "SESSION_CLOSED" in failed(await rig.ask(spec()))
    await rig.stop()


async def test_an_account_lives_by_the_sessions_of_what_it_trades() -> None:
    rig = await with_hours()
    assert not failed(await rig.ask(spec("1000")))
    asked = spec("1000")
    trade = messages.execution(asked, "1000", "100")
    filled = messages.event(1, asked, "0", execution=trade)
    await rig.report(filled)
    await rig.show(messages.candle("100"))
    today = messages.START_NS // DAY_NS
    rig.marketdata.holidays = {today + 1}
    await rig.restart()
    state = rig.service._desk.state
    account = state.book.accounts[messages.ACCOUNT]
    assert account.calendar == "XEXA"
    await rig.stop()


async def test_a_stale_quote_refuses_an_opening_order() -> None:
    rig = await Rig.started()
    rig.marketdata.is_stale = True
    assert failed(await rig.ask(spec())) == ["MARKET_DATA_STALE"]
    rig.marketdata.is_stale = False
    assert not failed(await rig.ask(spec("11", client_order_id="o2")))
    await rig.stop()


async def test_a_price_goes_stale_by_the_clock() -> None:
    rig = await Rig.started()
    await rig.show(messages.candle("100"))
    closed_ns = messages.START_NS + messages.MINUTE_NS
    rig.clock.skip_to(closed_ns + 3 * messages.MINUTE_NS - 10**9)
    assert not failed(await rig.ask(spec()))
    rig.clock.skip_to(closed_ns + 3 * messages.MINUTE_NS + 1)
    assert failed(await rig.ask(spec("11", client_order_id="o2"))) == ["MARKET_DATA_STALE"]
    await rig.stop()


async def test_a_resting_order_is_judged_by_the_quote_of_the_moment() -> None:
    rig = await Rig.started()
    await rig.show(messages.candle("100"))

    def quote(bid: str, ask: str) -> Quote:
        sides = {"bid": Decimal(value=bid), "ask": Decimal(value=ask)}
        time = to_timestamp(rig.clock.now_ns())
        return Quote(instrument=messages.INSTRUMENT, time=time, **sides)

    def bid_at(price: str, name: str) -> order_pb2.OrderSpec:
        limit = Decimal(value=price)
        kind = order_pb2.ORDER_TYPE_LIMIT
        return spec(client_order_id=name, type=kind, limit_price=limit, post_only=True)

    rig.clock.skip_to(messages.START_NS + messages.MINUTE_NS)
    rig.marketdata.quotes[messages.INSTRUMENT] = quote("100.5", "101")
    assert not failed(await rig.ask(bid_at("100.9", "o1")))
    rig.marketdata.quotes[messages.INSTRUMENT] = quote("100", "100.5")
    assert failed(await rig.ask(bid_at("100.6", "o2"))) == ["POST_ONLY_WOULD_CROSS"]
    await rig.stop()


async def test_the_firms_restricted_list_holds_for_accounts_with_limits_of_their_own() -> None:
    rig = await Rig.started()
    await set_limits(rig, MINE, open_orders_max=7)
    assert not failed(await rig.ask(spec()))
    await set_limits(rig, FIRM, restricted=[messages.INSTRUMENT])
    assert failed(await rig.ask(spec("11", client_order_id="o2"))) == ["RESTRICTED"]
    await rig.stop()


async def test_nothing_of_a_suspended_account_leaves() -> None:
    rig = await Rig.started()
    await set_limits(rig, MINE, is_suspended=True)
    assert failed(await rig.ask(spec())) == ["ACCOUNT_INACTIVE"]
    await rig.stop()


async def test_an_order_decided_by_older_limits_is_refused() -> None:
    rig = await Rig.started()
    await set_limits(rig, MINE, open_orders_max=7)
    assert not failed(await rig.ask(spec(), limits_version=1))
    await set_limits(rig, MINE, open_orders_max=8)
    order = spec("11", client_order_id="o2")
    assert failed(await rig.ask(order, limits_version=1)) == ["LIMITS_VERSION_MISMATCH"]
    await rig.stop()


async def test_rejected_orders_count_toward_the_rate_and_later_versions_do_not() -> None:
    rig = await Rig.started()
    await set_limits(rig, MINE, strategy_orders_per_minute_max=3)
    huge = spec("9999999", client_order_id="huge")
    assert "ORDER_RATE" not in failed(await rig.ask(huge))
    assert not failed(await rig.ask(spec("2", client_order_id="o2")))
    assert not failed(await rig.ask(spec("2", client_order_id="o2"), version=2))
    assert not failed(await rig.ask(spec("3", client_order_id="o3")))
    await rig.restart()
    assert failed(await rig.ask(spec("4", client_order_id="o4"))) == ["ORDER_RATE"]
    rig.clock.skip_to(messages.START_NS + 61 * 10**9)
    assert not failed(await rig.ask(spec("5", client_order_id="o5")))
    await rig.stop()
