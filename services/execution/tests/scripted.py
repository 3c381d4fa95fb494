"""A venue that does what a test tells it: it never matches, and may lose either way."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from enum import Enum

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.exchange.v1 import exchange_pb2 as pb
from trading.exchange.v1.exchange_port import ExchangeService
from trading.types.v1 import execution_pb2, order_pb2
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.errors import ServiceError, refusal
from runtime.rpc import Call
from runtime.times import to_timestamp

STATUS = order_pb2.OrderStatus


class Fate(Enum):
    """What becomes of a call."""

    ANSWERED = "answered"
    REQUEST_LOST = "request lost"  # It never comes: no effect, no answer.
    ANSWER_LOST = "answer lost"  # It has its effect, no answer.
    REFUSED = "refused"  # A definite error, no effect.


class ScriptedVenue(ExchangeService):
    """Keeps orders by name; every fact is a report in `feed`, as a test asks for it."""

    def __init__(self) -> None:
        self.fate = Fate.ANSWERED
        self.is_out = self.is_deaf = self.is_mute = self.is_frozen = self.rejects = False
        self.dropped = 0  # A report that the stream passes over.
        self.streams = 0  # How often the reports were watched.
        self.is_silent = False  # Reports are kept back until `speak`.
        self.now_ns: Callable[[], int] = lambda: 1
        self.on_place: Callable[[], None] = lambda: None
        self.places: list[pb.PlaceOrderRequest] = []  # Every attempt that came.
        self.cancels: list[str] = []
        self.replaces: list[str] = []
        self.lists: list[str] = []  # The accounts whose reports were asked for.
        self.is_replace_too_late = False
        self.states: dict[tuple[str, str], pb.VenueOrderState] = {}
        self.feed: list[ExecutionReport] = []
        self.messages: list[pb.WatchExecutionsResponse] = []  # To be streamed as they are.
        self._changed = asyncio.Event()

    async def place_order(
        self, request: pb.PlaceOrderRequest, call: Call = Call()
    ) -> pb.PlaceOrderResponse:
        self.on_place()
        self._check()
        if self.fate is Fate.REFUSED:
            raise refusal(StatusCode.NOT_FOUND, "ACCOUNT_UNKNOWN", "no account", service="exchange")
        if self.fate is Fate.REQUEST_LOST:
            await _vanish(call)
        self.places.append(request)
        order = request.order
        key = (order.account, order.client_order_id)
        if key not in self.states:
            self.states[key] = pb.VenueOrderState(
                order=order,
                venue_order_id=f"V{len(self.states) + 1}",
                status=STATUS.ORDER_STATUS_REJECTED if self.rejects else STATUS.ORDER_STATUS_NEW,
                cum_quantity=Decimal(value="0"),
                leaves_quantity=Decimal(value="0") if self.rejects else order.quantity,
                session_id=request.session_id,
            )
            taken, refused = execution_pb2.EXEC_TYPE_NEW, execution_pb2.EXEC_TYPE_REJECTED
            self.report(key, refused if self.rejects else taken)
        report = next(r for r in self.feed if r.client_order_id == order.client_order_id)
        if self.fate is Fate.ANSWER_LOST:
            await _vanish(call)
        return pb.PlaceOrderResponse(
            venue_order_id=report.venue_order_id,
            status=report.order_status,
            sequence=report.venue_sequence,
            report=report,
        )

    async def cancel_order(
        self, request: pb.CancelOrderRequest, call: Call = Call()
    ) -> pb.CancelOrderResponse:
        self._check()
        if request.request_id not in self.cancels:
            self.cancels.append(request.request_id)
            key = (request.account, request.client_order_id)
            state = self.states[key]
            state.status = STATUS.ORDER_STATUS_CANCELED
            state.leaves_quantity.value = "0"
            self.report(key, execution_pb2.EXEC_TYPE_CANCELED)
        if self.fate is Fate.ANSWER_LOST:
            await _vanish(call)
        return pb.CancelOrderResponse(status=STATUS.ORDER_STATUS_CANCELED, sequence=len(self.feed))

    async def replace_order(
        self, request: pb.ReplaceOrderRequest, call: Call = Call()
    ) -> pb.ReplaceOrderResponse:
        self._check()
        if self.fate is Fate.REQUEST_LOST:
            await _vanish(call)
        key = (request.account, request.client_order_id)
        if request.request_id not in self.replaces:
            self.replaces.append(request.request_id)
            self._replace(key, request)
        if self.fate is Fate.ANSWER_LOST:
            await _vanish(call)
        return pb.ReplaceOrderResponse(status=self.states[key].status, sequence=len(self.feed))

    def _replace(self, key: tuple[str, str], request: pb.ReplaceOrderRequest) -> None:
        state = self.states[key]
        if self.is_replace_too_late:
            self.report(key, execution_pb2.EXEC_TYPE_CANCEL_REJECTED)
            return
        if request.HasField("quantity"):
            state.order.quantity.CopyFrom(request.quantity)
            left = int(request.quantity.value) - int(state.cum_quantity.value)
            state.leaves_quantity.value = str(max(left, 0))
            if left <= 0:
                state.status = STATUS.ORDER_STATUS_FILLED
        if request.HasField("limit_price"):
            state.order.limit_price.CopyFrom(request.limit_price)
        self.report(key, execution_pb2.EXEC_TYPE_REPLACED)

    async def get_order(
        self, request: pb.GetOrderRequest, call: Call = Call()
    ) -> pb.GetOrderResponse:
        self._check()
        if self.is_deaf:
            raise ServiceError(StatusCode.UNAVAILABLE, "the venue answers no query")
        state = self.states.get((request.account, request.client_order_id))
        if state is None:
            raise refusal(StatusCode.NOT_FOUND, "ORDER_UNKNOWN", "no order", service="exchange")
        name = request.client_order_id
        return pb.GetOrderResponse(
            order=state,
            executions=[report for report in self.feed if report.client_order_id == name],
            as_of_sequence=len(self.feed),
        )

    async def watch_executions(
        self, request: pb.WatchExecutionsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchExecutionsResponse, None]:
        self._check()
        self.streams += 1
        cursor, scripted = request.after_sequence, 0
        yield pb.WatchExecutionsResponse(sequence=len(self.feed), is_heartbeat=True)
        while True:
            self._check()
            if scripted < len(self.messages):
                scripted += 1
                yield self.messages[scripted - 1]
            elif cursor < len(self.feed) and not self.is_silent:
                batch = [r for r in self.feed[cursor:] if r.venue_sequence != self.dropped]
                cursor = len(self.feed)
                if not batch:
                    continue
                yield pb.WatchExecutionsResponse(reports=batch, sequence=cursor)
            else:
                self._changed.clear()
                if not await self._hears(1.0) and not self.is_frozen:
                    yield pb.WatchExecutionsResponse(sequence=cursor, is_heartbeat=True)

    async def _hears(self, seconds: float) -> bool:
        """Return whether something happened in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def list_executions(
        self, request: pb.ListExecutionsRequest, call: Call = Call()
    ) -> pb.ListExecutionsResponse:
        self._check()
        self.lists.append(request.account)
        if self.is_silent:
            return pb.ListExecutionsResponse()
        found = [r for r in self.feed if r.account == request.account]
        return pb.ListExecutionsResponse(
            executions=[r for r in found if r.venue_sequence > request.after_sequence]
        )

    async def get_capabilities(
        self, request: pb.GetCapabilitiesRequest, call: Call = Call()
    ) -> pb.GetCapabilitiesResponse:
        self._check()
        if self.is_mute:
            raise ServiceError(StatusCode.UNAVAILABLE, "the venue says nothing of itself")
        return pb.GetCapabilitiesResponse(venue="XSIM", is_deduplicating=True)

    def report(
        self, key: tuple[str, str], exec_type: "execution_pb2.ExecType.ValueType"
    ) -> ExecutionReport:
        """Report an order as it stands."""
        state = self.states[key]
        report = ExecutionReport(
            exec_id=f"E{len(self.feed) + 1}",
            exec_type=exec_type,
            order_status=state.status,
            client_order_id=key[1],
            child_order_id=key[1],
            venue="XSIM",
            venue_order_id=state.venue_order_id,
            account=key[0],
            instrument=state.order.instrument,
            side=state.order.side,
            cum_quantity=state.cum_quantity,
            leaves_quantity=state.leaves_quantity,
            session_id=state.session_id,
            venue_sequence=len(self.feed) + 1,
            transact_time=to_timestamp(self.now_ns()),
        )
        self.feed.append(report)
        self._changed.set()
        return report

    def fill(self, client_order_id: str, quantity: str, *, account: str = "ana") -> None:
        """Let a part of an order trade at 100."""
        key = (account, client_order_id)
        state = self.states[key]
        leaves = int(state.leaves_quantity.value) - int(quantity)
        state.cum_quantity.value = str(int(state.cum_quantity.value) + int(quantity))
        state.leaves_quantity.value = str(leaves)
        is_part = leaves > 0
        state.status = (
            STATUS.ORDER_STATUS_PARTIALLY_FILLED if is_part else STATUS.ORDER_STATUS_FILLED
        )
        report = self.report(key, execution_pb2.EXEC_TYPE_TRADE)
        report.last_quantity.value = quantity
        report.last_price.value = "100"

    def speak(self) -> None:
        """Deliver what was kept back."""
        self.is_silent = False
        self._changed.set()

    def say(self, message: pb.WatchExecutionsResponse) -> None:
        """Stream a message as it is, whatever it says."""
        self.messages.append(message)
        self._changed.set()

    def go_out(self) -> None:
        """Answer nothing from now on, and cut streams."""
        self.is_out = True
        self._changed.set()

    def _check(self) -> None:
        if self.is_out:
            raise ServiceError(StatusCode.UNAVAILABLE, "the venue is out")


async def _vanish(call: Call) -> None:
    await asyncio.sleep(call.remaining_s() or 0.0)
    raise ServiceError(StatusCode.DEADLINE_EXCEEDED, "no answer")
