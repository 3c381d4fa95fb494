"""A scripted venue with a market: the other side is there at the touch, one's own rests."""

import asyncio
from collections.abc import AsyncGenerator

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.exchange.v1 import exchange_pb2 as pb
from trading.types.v1 import execution_pb2, order_pb2

from runtime.errors import refusal
from runtime.rpc import Call
from services.execution.tests.scripted import STATUS, ScriptedVenue

TICK = 0.01
LATE_S = 1.0
Key = tuple[str, str]


class MarketVenue(ScriptedVenue):
    """Takes what crosses at once; what rests trades when a test says so. Prices are in cents."""

    def __init__(self) -> None:
        super().__init__()
        self.bid, self.ask = 9_990, 10_010
        self.depth_lots = 1_000_000
        self.printed: list[pb.WatchTradesResponse] = []
        self.has_icebergs = False
        self.is_book_shown = True
        self.late_books = 0  # So many answers come when nobody waits for them any more.
        self.is_cancel_too_late = False

    async def place_order(
        self, request: pb.PlaceOrderRequest, call: Call = Call()
    ) -> pb.PlaceOrderResponse:
        is_new = (request.order.account, request.order.client_order_id) not in self.states
        answer = await super().place_order(request, call)
        if is_new:
            self._match(request.order)
        return answer

    async def cancel_order(
        self, request: pb.CancelOrderRequest, call: Call = Call()
    ) -> pb.CancelOrderResponse:
        state = self.states[request.account, request.client_order_id]
        is_over = state.leaves_quantity.value == "0"
        if (self.is_cancel_too_late or is_over) and request.request_id not in self.cancels:
            self.cancels.append(request.request_id)
            key = (request.account, request.client_order_id)
            self.report(key, execution_pb2.EXEC_TYPE_CANCEL_REJECTED)
        await super().cancel_order(request, call)
        return pb.CancelOrderResponse(status=state.status, sequence=len(self.feed))

    async def get_book(self, request: pb.GetBookRequest, call: Call = Call()) -> pb.GetBookResponse:
        self._check()
        if self.late_books:
            self.late_books -= 1
            await asyncio.sleep(LATE_S)
        if not self.is_book_shown:
            raise refusal(StatusCode.NOT_FOUND, "INSTRUMENT_UNKNOWN", "none", service="exchange")
        book = pb.GetBookResponse(
            traded_lots=sum(trade.quantity_lots for trade in self.printed),
            trade_sequence=len(self.printed),
        )
        if self.bid:
            book.bids.add(price_ticks=self.bid, quantity_lots=self.depth_lots)
        if self.ask:
            book.asks.add(price_ticks=self.ask, quantity_lots=self.depth_lots)
        return book

    async def watch_trades(
        self, request: pb.WatchTradesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchTradesResponse, None]:
        yield pb.WatchTradesResponse(sequence=len(self.printed), is_heartbeat=True)
        for trade in self.printed[request.after_sequence :]:
            yield trade

    async def get_capabilities(
        self, request: pb.GetCapabilitiesRequest, call: Call = Call()
    ) -> pb.GetCapabilitiesResponse:
        answer = await super().get_capabilities(request, call)
        answer.has_icebergs = self.has_icebergs
        return answer

    def trade(self, lots: int, ticks: int = 10_000) -> None:
        """Let others trade."""
        self.printed.append(
            pb.WatchTradesResponse(
                quantity_lots=lots, price_ticks=ticks, sequence=len(self.printed) + 1
            )
        )

    def take(self, name: str, lots: int) -> None:
        """Let somebody meet what an order has resting, at its price."""
        key = ("ana", name)
        self._trade(key, lots, round(float(self.states[key].order.limit_price.value) / TICK))

    def resting(self) -> dict[str, int]:
        """Return what rests, by the order's name."""
        return {
            name: int(state.leaves_quantity.value)
            for (_, name), state in self.states.items()
            if state.leaves_quantity.value != "0"
        }

    def _match(self, order: pb.VenueOrder) -> None:
        key = (order.account, order.client_order_id)
        limit = round(float(order.limit_price.value) / TICK)
        is_buy = order.side == order_pb2.SIDE_BUY
        far = self.ask if is_buy else self.bid
        if far and (limit >= far if is_buy else limit <= far):
            lots = min(int(order.quantity.value), self.depth_lots)
            if lots:
                self._trade(key, lots, far)
        state = self.states[key]
        is_ioc = order.time_in_force == order_pb2.TIME_IN_FORCE_IOC
        if is_ioc and state.leaves_quantity.value != "0":
            state.status = STATUS.ORDER_STATUS_CANCELED
            state.leaves_quantity.value = "0"
            self.report(key, execution_pb2.EXEC_TYPE_CANCELED)

    def _trade(self, key: Key, lots: int, ticks: int) -> None:
        self.trade(lots, ticks)
        self.fill(key[1], str(lots), account=key[0])
        report = self.feed[-1]
        report.last_price.CopyFrom(Decimal(value=f"{ticks / 100:.2f}".rstrip("0").rstrip(".")))
