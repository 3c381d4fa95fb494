"""Messages of the venue, as execution sends them."""

from google.type.decimal_pb2 import Decimal
from trading.exchange.v1 import exchange_pb2 as pb

from loadtests.traffic.callers import EXECUTION, HARNESS
from loadtests.traffic.market import BUY_AT
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.floor import TRADED
from loadtests.traffic.messages.stage import Stage, placing

SERVICE = "ExchangeService"


@ask(f"{SERVICE}/PlaceOrder", EXECUTION, "accounts")
def _place_order(stage: Stage, number: int) -> pb.PlaceOrderRequest:
    return placing(stage, number, stage.name(number), BUY_AT)


@ask(f"{SERVICE}/CancelOrder", EXECUTION, "placed")
async def _cancel_order(stage: Stage, number: int) -> pb.CancelOrderRequest:
    placed = await stage.placed.take()
    return pb.CancelOrderRequest(
        account=placed.account,
        client_order_id=placed.client_order_id,
        request_id=stage.name(number),
    )


@ask(f"{SERVICE}/ReplaceOrder", EXECUTION, "placed")
async def _replace_order(stage: Stage, number: int) -> pb.ReplaceOrderRequest:
    placed = await stage.placed.take()
    stage.placed.put(placed)
    return pb.ReplaceOrderRequest(
        account=placed.account,
        client_order_id=placed.client_order_id,
        request_id=stage.name(number),
        quantity=Decimal(value=str(1 + number % 50)),
    )


@ask(f"{SERVICE}/CancelOrders", EXECUTION, "accounts")
def _cancel_orders(stage: Stage, number: int) -> pb.CancelOrdersRequest:
    return pb.CancelOrdersRequest(account=stage.account(number), request_id=stage.name(number))


@ask(f"{SERVICE}/GetOrder", EXECUTION, "trades")
def _get_order(stage: Stage, number: int) -> pb.GetOrderRequest:
    spec = stage.traded[number % TRADED].spec
    return pb.GetOrderRequest(account=spec.account, client_order_id=spec.client_order_id)


@ask(f"{SERVICE}/ListOrders", EXECUTION, "trades")
def _list_orders(stage: Stage, number: int) -> pb.ListOrdersRequest:
    return pb.ListOrdersRequest(account=stage.account(number), page_size=100)


@ask(f"{SERVICE}/ListExecutions", EXECUTION, "trades")
def _list_executions(stage: Stage, number: int) -> pb.ListExecutionsRequest:
    return pb.ListExecutionsRequest(account=stage.account(number), page_size=100)


@ask(f"{SERVICE}/WatchExecutions", EXECUTION, "trades")
def _watch_executions(stage: Stage, number: int) -> pb.WatchExecutionsRequest:
    return pb.WatchExecutionsRequest(account=stage.account(number))


@ask(f"{SERVICE}/GetBook", EXECUTION, "market")
def _get_book(stage: Stage, number: int) -> pb.GetBookRequest:
    return pb.GetBookRequest(instrument=stage.instrument(number))


@ask(f"{SERVICE}/WatchBook", EXECUTION, "market")
def _watch_book(stage: Stage, number: int) -> pb.WatchBookRequest:
    return pb.WatchBookRequest(instrument=stage.instrument(number))


@ask(f"{SERVICE}/WatchTrades", EXECUTION, "trades")
def _watch_trades(stage: Stage, number: int) -> pb.WatchTradesRequest:
    return pb.WatchTradesRequest(instrument=stage.instrument(number))


@ask(f"{SERVICE}/GetBalance", EXECUTION, "accounts")
def _get_balance(stage: Stage, number: int) -> pb.GetBalanceRequest:
    return pb.GetBalanceRequest(account=stage.account(number))


@ask(f"{SERVICE}/CreateSubAccount", HARNESS)
def _create_sub_account(stage: Stage, number: int) -> pb.CreateSubAccountRequest:
    name = stage.name(number)
    return pb.CreateSubAccountRequest(account=name, request_id=name)


@ask(f"{SERVICE}/GetCapabilities", EXECUTION)
def _get_capabilities(stage: Stage, number: int) -> pb.GetCapabilitiesRequest:
    return pb.GetCapabilitiesRequest()
