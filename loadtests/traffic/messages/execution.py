"""Messages of the execution service, as orders sends them: about orders that rest, or traded."""

from google.type.decimal_pb2 import Decimal
from trading.execution.v1 import execution_pb2 as pb

from loadtests.traffic.callers import ORDERS, TRADER
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.floor import TRADED
from loadtests.traffic.messages.stage import Stage

SERVICE = "ExecutionService"


@ask(f"{SERVICE}/StartExecution", ORDERS, "approved")
async def _start_execution(stage: Stage, number: int) -> pb.StartExecutionRequest:
    order, decision = await stage.approved.take()
    return pb.StartExecutionRequest(order=order, decision=decision, epoch=stage.epoch)


@ask(f"{SERVICE}/CancelExecution", ORDERS, "trades", "resting")
async def _cancel_execution(stage: Stage, number: int) -> pb.CancelExecutionRequest:
    spec = (await stage.resting.take()).spec
    return pb.CancelExecutionRequest(
        account=spec.account,
        client_order_id=spec.client_order_id,
        request_id=stage.name(number),
        epoch=stage.epoch,
    )


@ask(f"{SERVICE}/ReplaceExecution", ORDERS, "trades", "resting")
async def _replace_execution(stage: Stage, number: int) -> pb.ReplaceExecutionRequest:
    spec = (await stage.resting.take()).spec
    return pb.ReplaceExecutionRequest(
        account=spec.account,
        client_order_id=spec.client_order_id,
        request_id=stage.name(number),
        epoch=stage.epoch,
        limit_price=Decimal(value="95.01"),
    )


@ask(f"{SERVICE}/PauseExecution", TRADER, "worked")
async def _pause_execution(stage: Stage, number: int) -> pb.PauseExecutionRequest:
    order = await stage.worked.take()
    stage.worked.put(order)
    return pb.PauseExecutionRequest(
        account=order.spec.account,
        client_order_id=order.spec.client_order_id,
        request_id=stage.name(number),
        is_paused=number % 2 == 0,
    )


@ask(f"{SERVICE}/GetExecution", TRADER, "trades")
def _get_execution(stage: Stage, number: int) -> pb.GetExecutionRequest:
    spec = stage.traded[number % TRADED].spec
    return pb.GetExecutionRequest(account=spec.account, client_order_id=spec.client_order_id)


@ask(f"{SERVICE}/PreviewExecution", TRADER, "accounts")
def _preview_execution(stage: Stage, number: int) -> pb.PreviewExecutionRequest:
    return pb.PreviewExecutionRequest(order=stage.orders.order(number))


@ask(f"{SERVICE}/QueryOrder", ORDERS, "trades")
def _query_order(stage: Stage, number: int) -> pb.QueryOrderRequest:
    spec = stage.traded[number % TRADED].spec
    return pb.QueryOrderRequest(
        venue="XSIM", account=spec.account, client_order_id=spec.client_order_id
    )


@ask(f"{SERVICE}/WatchExecutionReports", ORDERS)
def _watch_execution_reports(stage: Stage, number: int) -> pb.WatchExecutionReportsRequest:
    return pb.WatchExecutionReportsRequest()


@ask(f"{SERVICE}/GetExecutionAnalysis", TRADER, "trades")
def _get_execution_analysis(stage: Stage, number: int) -> pb.GetExecutionAnalysisRequest:
    spec = stage.traded[number % TRADED].spec
    return pb.GetExecutionAnalysisRequest(
        account=spec.account, client_order_id=spec.client_order_id
    )


@ask(f"{SERVICE}/ListVenues", TRADER)
def _list_venues(stage: Stage, number: int) -> pb.ListVenuesRequest:
    return pb.ListVenuesRequest()
