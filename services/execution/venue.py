"""A venue as execution sees it: its port, the session with it, and how it is."""

import asyncio

from trading.exchange.v1 import exchange_pb2
from trading.exchange.v1.exchange_port import ExchangeService
from trading.types.v1.order_pb2 import ORDER_STATUS_REJECTED

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution.health import Health

CAPABILITIES_S = 0.2  # An answer is worth no longer wait: without one it can do nothing special.


class VenueLink:
    """One venue: sends to it and remembers how it answered."""

    def __init__(self, venue: str, port: ExchangeService) -> None:
        self.venue = venue
        self.port = port
        self.session_id = ""  # Named at each start of this service.
        self.is_up = False  # Whether its reports are being read.
        self.report_sequence = 0  # How far they are committed here.
        self.health = Health()
        self._capabilities: exchange_pb2.GetCapabilitiesResponse | None = None

    def ails(self) -> str:
        """Return why nothing is sent to it now; empty when it is well."""
        return self.health.ails(asyncio.get_running_loop().time())

    async def place(
        self, order: exchange_pb2.VenueOrder, call: Call
    ) -> exchange_pb2.PlaceOrderResponse:
        """Send an order; the runtime never repeats this by itself."""
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        name = (order.account, order.client_order_id)
        self.health.sent(name, start_s)
        request = exchange_pb2.PlaceOrderRequest(order=order, session_id=self.session_id)
        try:
            answer = await self.port.place_order(request, call)
        except ServiceError as error:
            if error.definite:
                self.health.answered(name)
            raise
        self.health.answered(name)
        is_rejected = answer.status == ORDER_STATUS_REJECTED
        self.health.judged(is_rejected=is_rejected, taken_s=loop.time() - start_s)
        return answer

    async def capabilities(self, call: Call) -> exchange_pb2.GetCapabilitiesResponse:
        """Return what it says it can do; nothing while it does not answer."""
        if self._capabilities is None:
            try:
                request = exchange_pb2.GetCapabilitiesRequest()
                self._capabilities = await self.port.get_capabilities(
                    request, call.started(CAPABILITIES_S)
                )
            except ServiceError:
                return exchange_pb2.GetCapabilitiesResponse()
        return self._capabilities
