import pytest
from grpc import StatusCode
from trading.portfolio.v1 import portfolio_pb2 as pb
from trading.types.v1.execution_pb2 import EXEC_TYPE_TRADE_CANCEL

from runtime.errors import ErrorInfo, ServiceError
from runtime.times import to_timestamp
from services.portfolio.tests import mothers
from services.portfolio.tests.rig import Rig, sums

MINUTE_NS = 60 * 10**9


async def refused(work: object) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await work  # type: ignore[misc]
    return raised.value


async def test_a_purchase_moves_cash_into_cost_and_fees() -> None:
    rig = await Rig.started()
    await rig.trade("100", "50.25")
    assert sums(await rig.journals()) == {
        "cash": 100_000_000 - 502_500 - 100,
        "cost:ALPHA.XSIM": 502_500,
        "fees": 100,
        "external": -100_000_000,
    }
    position = await rig.position()
    assert position.quantity.value == "100"
    assert position.cost.amount.value == "5025"
    assert position.average_price.value == "50.25"
    await rig.service.stop()


async def test_a_sell_through_zero_closes_then_opens_at_the_new_price() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    await rig.trade("-30", "60")
    position = await rig.position()
    assert (position.quantity.value, position.average_price.value) == ("-20", "60")
    assert position.realised.amount.value == "100"
    await rig.service.stop()


async def test_a_fill_delivered_twice_is_booked_once() -> None:
    rig = await Rig.started()
    event = await rig.trade("10", "50")
    assert await rig.report(event) == 1
    assert len(await rig.journals()) == 2
    again = mothers.event(2, event.execution)  # Another event, the same execution.
    assert await rig.report(again) == 2
    assert len(await rig.journals()) == 2
    await rig.service.stop()


async def test_a_conflicting_repeat_is_recorded_and_not_booked() -> None:
    rig = await Rig.started()
    event = await rig.trade("10", "50")
    other = mothers.event(1, mothers.execution("11", "50", exec_id="x1"))
    assert await rig.report(other) == 1
    conflicting = mothers.event(2, mothers.execution("12", "50", exec_id="x1"))
    assert await rig.report(conflicting) == 2
    assert (await rig.position()).quantity.value == "10"
    rows = await rig.database.read(
        lambda tx: tx.exec_driver_sql("SELECT code, subject FROM anomalies").all()
    )
    assert [tuple(row) for row in rows] == [
        ("CONFLICTING_EVENT", event.header.event_id),
        ("CONFLICTING_EXECUTION", "XSIM/x1"),
    ]
    await rig.service.stop()


async def test_missing_events_are_asked_for_and_nothing_of_the_batch_is_booked() -> None:
    rig = await Rig.started()
    error = await refused(
        rig.report(mothers.event(1, mothers.execution("1", "1")), mothers.event(3))
    )
    assert (error.code, error.reason) == (StatusCode.ABORTED, "EVENT_GAP")
    info = error.detail(ErrorInfo)
    assert info is not None
    assert info.metadata["expected"] == "1"
    assert (await rig.position()).quantity.value == "0"
    await rig.service.stop()


async def test_a_busted_trade_leaves_the_books_as_if_it_had_never_happened() -> None:
    rig, other = await Rig.started(), await Rig.started()
    await rig.trade("10", "50")
    await rig.trade("-15", "60")
    await rig.trade("0", "50", exec_type=EXEC_TYPE_TRADE_CANCEL, exec_ref_id="x1")
    await other.trade("-15", "60")
    assert (await rig.money()) == (await other.money())
    ours, theirs = await rig.position(), await other.position()
    assert ours == theirs
    assert (await rig.journals())[-1].corrects == "XSIM/x1"
    await rig.service.stop()
    await other.service.stop()


async def test_closing_everything_leaves_no_cost_behind() -> None:
    rig = await Rig.started()
    for quantity, price in [("3", "33.33"), ("4", "33.35"), ("-2", "34"), ("-5", "33")]:
        await rig.trade(quantity, price)
    assert sums(await rig.journals())["cost:ALPHA.XSIM"] == 0
    request = pb.ListPositionsRequest(account=mothers.ACCOUNT)
    assert not (await rig.portfolio.list_positions(request)).positions
    request.is_closed_included = True
    assert len((await rig.portfolio.list_positions(request)).positions) == 1
    await rig.service.stop()


async def test_realised_plus_unrealised_minus_fees_equals_the_change_of_equity() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    await rig.trade("-4", "52")
    await rig.show(mothers.candle("55"))
    figures = await rig.money()
    assert figures == {
        "cash": "999706",
        "market_value": "330",
        "equity": "1000036",
        "realised": "8",
        "unrealised": "30",
        "fees": "2",
        "gross": "330",
        "net": "330",
    }
    await rig.service.stop()


async def test_a_stale_price_is_shown_as_stale_and_keeps_its_value() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    rig.clock.skip_to(mothers.START_NS + MINUTE_NS)
    await rig.show(mothers.candle("55"))
    assert not (await rig.position()).is_stale
    rig.clock.skip_to(mothers.START_NS + 5 * MINUTE_NS)
    position = await rig.position()
    assert position.is_stale
    assert position.market_value.amount.value == "550"
    await rig.service.stop()


async def test_a_position_without_any_price_is_valued_at_its_cost_and_flagged() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50", instrument="NOBODY.XSIM")
    position = await rig.position("NOBODY.XSIM")
    assert position.is_stale
    assert not position.HasField("mark")
    assert position.market_value.amount.value == "500"
    await rig.service.stop()


async def test_backfill_does_not_move_a_mark_back() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    await rig.show(mothers.candle("55", minute=3), mothers.candle("44", minute=1))
    assert (await rig.position()).mark.value == "55"
    await rig.service.stop()


async def test_a_transfer_repeated_is_booked_once() -> None:
    rig = await Rig.started()
    first = await rig.transfer("100", key="again")
    assert await rig.transfer("100", key="again") == first
    assert first.balance.amount.value == "1000100"
    error = await refused(rig.transfer("101", key="again"))
    assert error.code is StatusCode.ALREADY_EXISTS
    await rig.service.stop()


async def test_a_withdrawal_above_the_cash_is_refused() -> None:
    rig = await Rig.started("100")
    error = await refused(rig.transfer("-100.01", key="out"))
    assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "CASH_INSUFFICIENT")
    await rig.transfer("-100", key="out-2")
    assert (await rig.money())["cash"] == "0"
    await rig.service.stop()


async def test_another_currency_is_refused() -> None:
    rig = await Rig.started()
    request = pb.TransferCashRequest(
        request_id="e", account=mothers.ACCOUNT, direction=pb.TRANSFER_DIRECTION_IN
    )
    request.amount.CopyFrom(mothers.usd("5"))
    request.amount.currency = "EUR"
    error = await refused(rig.portfolio.transfer_cash(request))
    assert error.reason == "CURRENCY_UNSUPPORTED"
    await rig.service.stop()


@pytest.mark.parametrize("amount", ["-5", "0", "0.001", "1e3"])
async def test_a_malformed_amount_is_refused_before_anything_happens(amount: str) -> None:
    rig = await Rig.started("")
    request = pb.TransferCashRequest(
        request_id="e", account=mothers.ACCOUNT, direction=pb.TRANSFER_DIRECTION_IN
    )
    request.amount.CopyFrom(mothers.usd(amount))
    error = await refused(rig.portfolio.transfer_cash(request))
    assert error.code is StatusCode.INVALID_ARGUMENT
    await rig.service.stop()


async def test_the_past_is_answered_from_the_equity_points() -> None:
    rig = await Rig.started()
    await rig.trade("10", "50")
    for minute, price in enumerate(("55", "60", "40")):
        rig.clock.skip_to(mothers.START_NS + (minute + 1) * MINUTE_NS)
        await rig.show(mothers.candle(price, minute=minute))

    async def equity_at(minute: float) -> str:
        time = to_timestamp(mothers.START_NS + round(minute * MINUTE_NS))
        request = pb.GetPortfolioRequest(account=mothers.ACCOUNT, as_of=time)
        return (await rig.portfolio.get_portfolio(request)).portfolio.equity.amount.value

    assert await equity_at(2.5) == "1000099"
    assert await equity_at(1.5) == "1000049"
    error = await refused(equity_at(-1))
    assert (error.code, error.reason) == (StatusCode.OUT_OF_RANGE, "BEFORE_FIRST_JOURNAL")
    await rig.service.stop()


async def test_an_account_nothing_was_booked_for_is_not_found() -> None:
    rig = await Rig.started("")
    error = await refused(rig.money())
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "ACCOUNT_UNKNOWN")
    await rig.service.stop()


async def test_journals_and_positions_come_in_pages() -> None:
    rig = await Rig.started()
    for name in ("B.XSIM", "A.XSIM", "C.XSIM"):
        await rig.trade("1", "10", instrument=name)
    positions = pb.ListPositionsRequest(account=mothers.ACCOUNT, page_size=2)
    first = await rig.portfolio.list_positions(positions)
    assert [p.instrument for p in first.positions] == ["A.XSIM", "B.XSIM"]
    positions.page_token = first.next_page_token
    rest = await rig.portfolio.list_positions(positions)
    assert [p.instrument for p in rest.positions] == ["C.XSIM"]
    assert not rest.next_page_token
    journals = pb.ListJournalsRequest(account=mothers.ACCOUNT, page_size=3)
    page = await rig.portfolio.list_journals(journals)
    journals.page_token = page.next_page_token
    assert [j.sequence for j in (await rig.portfolio.list_journals(journals)).journals] == [4]
    journals.account = "another"
    error = await refused(rig.portfolio.list_journals(journals))
    assert error.reason == "PAGE_TOKEN_FOREIGN"
    only = await rig.journals(ledger_account="cost:B.XSIM")
    assert [journal.sequence for journal in only] == [2]
    await rig.service.stop()


async def test_only_orders_may_report_and_only_an_operator_transfer() -> None:
    rig = await Rig.started()
    events = pb.ReportOrderEventsRequest(events=[mothers.event(1)])
    error = await refused(rig.portfolio.report_order_events(events))
    assert error.code is StatusCode.PERMISSION_DENIED
    rig.portfolio = rig.as_orders
    error = await refused(rig.transfer("5", key="t2"))
    assert error.code is StatusCode.PERMISSION_DENIED
    await rig.service.stop()
