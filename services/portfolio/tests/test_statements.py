"""What the portfolio states of an instant is what its journals say up to it."""

from sqlalchemy import select
from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.times import to_timestamp
from services.portfolio import tables, wire
from services.portfolio.tests import mothers
from services.portfolio.tests.rig import Rig, sums
from services.portfolio.tests.test_service import refused

SECOND_NS = 10**9


async def stated(rig: Rig, seconds: float) -> pb.PortfolioSnapshot:
    time = to_timestamp(mothers.START_NS + round(seconds * SECOND_NS))
    request = pb.GetPortfolioRequest(account=mothers.ACCOUNT, as_of=time)
    return (await rig.portfolio.get_portfolio(request)).portfolio


async def test_every_statement_reconciles_to_the_journals_up_to_it() -> None:
    rig = await Rig.started("10000")
    trades = [("10", "50"), ("-4", "55.55"), ("-9", "49.99"), ("3", "51"), ("7", "48.01")]
    for second, (quantity, price) in enumerate(trades, 1):
        rig.clock.skip_to(mothers.START_NS + second * SECOND_NS)
        await rig.trade(quantity, price)
    journals = await rig.journals()
    for second in range(len(trades) + 1):
        found = await stated(rig, second + 0.9)
        totals = sums([each for each in journals if each.sequence <= found.sequence])
        assert found.sequence == second + 1
        assert wire.minor_of(found.cash[0]) == totals["cash"]
        assert wire.minor_of(found.realised) == -totals.get("realised", 0)
        assert wire.minor_of(found.fees) == totals.get("fees", 0)
        assert wire.minor_of(found.net_transfers) == -totals["external"]
    await rig.service.stop()


async def test_the_instant_of_the_first_journal_is_in_range_and_one_before_is_not() -> None:
    rig = await Rig.started("")
    rig.clock.skip_to(mothers.START_NS + 5 * SECOND_NS)
    await rig.transfer("7")
    assert (await stated(rig, 6)).equity.amount.value == "7"
    assert (await refused(stated(rig, 4.999))).reason == "BEFORE_FIRST_JOURNAL"
    await rig.service.stop()


async def test_a_second_keeps_its_lowest_highest_and_last_equity_across_a_restart() -> None:
    rig = await Rig.started()
    await rig.trade("10", "100")
    for price in ("90", "120"):
        await rig.show(mothers.candle(price))
    await rig.restart()
    await rig.show(mothers.candle("110"))
    table = tables.equity_points
    points = (await rig.database.read(lambda tx: tx.execute(select(table)).all()))[-1:]
    (point,) = points
    assert (point.equity_low_minor, point.equity_high_minor) == (99_989_900, 100_019_900)
    last = pb.PortfolioSnapshot.FromString(point.snapshot)
    assert last.equity.amount.value == "1000099"
    await rig.service.stop()


async def test_a_fill_that_nobody_here_ordered_is_booked_as_external_and_reported() -> None:
    rig = await Rig.started()
    event = mothers.event(1, mothers.execution("10", "50"))
    event.order.spec.strategy_id = "external"
    await rig.report(event)
    journal = (await rig.journals())[-1]
    assert (journal.strategy_id, journal.source) == ("external", "XSIM/x1")
    rows = await rig.database.read(lambda tx: tx.execute(select(tables.anomalies)).all())
    assert [(row.code, row.subject) for row in rows] == [("EXTERNAL_FILL", "XSIM/x1")]
    assert (await rig.position()).quantity.value == "10"
    await rig.service.stop()
