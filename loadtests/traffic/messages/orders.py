"""Messages of the orders service."""

from google.type.decimal_pb2 import Decimal
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1.order_pb2 import Order

from loadtests.traffic.callers import TRADER
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.floor import TRADED
from loadtests.traffic.messages.stage import Stage

SERVICE = "OrderService"
LOWEST_CENTS, PRICES = 95_00, 300  # Above what rests, below what trades.


@ask(f"{SERVICE}/SubmitOrder", TRADER, "accounts")
def _submit_order(stage: Stage, number: int) -> pb.SubmitOrderRequest:
    return pb.SubmitOrderRequest(order=stage.orders.order(number))


@ask(f"{SERVICE}/CancelOrder", TRADER, "resting")
async def _cancel_order(stage: Stage, number: int) -> pb.CancelOrderRequest:
    spec = (await stage.resting.take()).spec
    return pb.CancelOrderRequest(
        client_order_id=spec.client_order_id, account=spec.account, request_id=stage.name(number)
    )


@ask(f"{SERVICE}/CancelOrders", TRADER, "accounts")
def _cancel_orders(stage: Stage, number: int) -> pb.CancelOrdersRequest:
    scope = pb.CancelScope(account=stage.account(number))
    return pb.CancelOrdersRequest(scope=scope, request_id=stage.name(number))


def _replaced(
    stage: Stage, request: pb.ReplaceOrderRequest, answer: pb.ReplaceOrderResponse
) -> None:
    stage.resting.put(answer.order)


@ask(f"{SERVICE}/ReplaceOrder", TRADER, "resting", heard=_replaced)
async def _replace_order(stage: Stage, number: int) -> pb.ReplaceOrderRequest:
    order: Order = await stage.resting.take()
    # Orders that a second would make alike are refused as duplicates: none is, in 300 requests.
    whole, cents = divmod(LOWEST_CENTS + number % PRICES, 100)
    return pb.ReplaceOrderRequest(
        client_order_id=order.spec.client_order_id,
        account=order.spec.account,
        etag=order.version,
        request_id=stage.name(number),
        limit_price=Decimal(value=f"{whole}.{cents:02d}"),
    )


@ask(f"{SERVICE}/GetOrder", TRADER, "trades")
def _get_order(stage: Stage, number: int) -> pb.GetOrderRequest:
    spec = stage.traded[number % TRADED].spec
    return pb.GetOrderRequest(client_order_id=spec.client_order_id, account=spec.account)


@ask(f"{SERVICE}/ListOrders", TRADER, "trades")
def _list_orders(stage: Stage, number: int) -> pb.ListOrdersRequest:
    return pb.ListOrdersRequest(account=stage.account(number), page_size=100)


@ask(f"{SERVICE}/WatchOrderEvents", TRADER, "trades")
def _watch_order_events(stage: Stage, number: int) -> pb.WatchOrderEventsRequest:
    after = stage.events[-1].header.sequence
    return pb.WatchOrderEventsRequest(account=stage.account(number), after_sequence=after)


@ask(f"{SERVICE}/WatchAlarms", TRADER)
def _watch_alarms(stage: Stage, number: int) -> pb.WatchAlarmsRequest:
    return pb.WatchAlarmsRequest()


@ask(f"{SERVICE}/ListSignalDecisions", TRADER)
def _list_signal_decisions(stage: Stage, number: int) -> pb.ListSignalDecisionsRequest:
    return pb.ListSignalDecisionsRequest(page_size=100)
