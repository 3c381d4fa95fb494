"""Messages of the portfolio service."""

from google.type.decimal_pb2 import Decimal
from trading.portfolio.v1 import portfolio_pb2 as pb
from trading.types.v1.money_pb2 import Money

from loadtests.traffic.callers import OPERATOR, ORDERS, TRADER
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.stage import Stage

SERVICE = "PortfolioService"
EVENTS_MAX = 256


@ask(f"{SERVICE}/ReportOrderEvents", ORDERS, "trades")
def _report_order_events(stage: Stage, number: int) -> pb.ReportOrderEventsRequest:
    """Tell what was told before: nothing comes of it, and nobody's own reports are disturbed."""
    return pb.ReportOrderEventsRequest(events=stage.events[-EVENTS_MAX:])


@ask(f"{SERVICE}/GetPortfolio", TRADER, "accounts")
def _get_portfolio(stage: Stage, number: int) -> pb.GetPortfolioRequest:
    return pb.GetPortfolioRequest(account=stage.account(number))


@ask(f"{SERVICE}/ListPositions", TRADER, "trades")
def _list_positions(stage: Stage, number: int) -> pb.ListPositionsRequest:
    return pb.ListPositionsRequest(account=stage.account(number), is_closed_included=True)


@ask(f"{SERVICE}/GetPosition", TRADER, "trades")
def _get_position(stage: Stage, number: int) -> pb.GetPositionRequest:
    return pb.GetPositionRequest(account=stage.account(number), instrument=stage.instrument(number))


@ask(f"{SERVICE}/TransferCash", OPERATOR, "accounts")
def _transfer_cash(stage: Stage, number: int) -> pb.TransferCashRequest:
    return pb.TransferCashRequest(
        request_id=stage.name(number),
        account=stage.account(number),
        amount=Money(amount=Decimal(value="1"), currency="USD"),
        direction=pb.TRANSFER_DIRECTION_IN,
    )


@ask(f"{SERVICE}/ListJournals", TRADER, "trades")
def _list_journals(stage: Stage, number: int) -> pb.ListJournalsRequest:
    return pb.ListJournalsRequest(account=stage.account(number), page_size=100)


@ask(f"{SERVICE}/WatchPortfolio", TRADER, "accounts")
def _watch_portfolio(stage: Stage, number: int) -> pb.WatchPortfolioRequest:
    return pb.WatchPortfolioRequest(account=stage.account(number))
