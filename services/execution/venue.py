"""A venue as execution sees it: its port, the session with it, and how it is."""

import asyncio
from collections import deque

from trading.exchange.v1 import exchange_pb2
from trading.exchange.v1.exchange_port import ExchangeService
from trading.types.v1.order_pb2 import ORDER_STATUS_REJECTED

from runtime.errors import ServiceError
from runtime.rpc import Call

NEWEST_WEIGHT = 0.1
REMEMBERED = 100


class VenueLink:
    """One venue: sends to it and remembers how it answered."""

    def __init__(self, venue: str, port: ExchangeService) -> None:
        self.venue = venue
        self.port = port
        self.session_id = ""  # Named at each start of this service.
        self.is_up = False  # Whether its reports are being read.
        self.report_sequence = 0  # How far they are committed here.
        self.latency_s = 0.0
        self._capabilities: exchange_pb2.GetCapabilitiesResponse | None = None
        self._rejects: deque[bool] = deque(maxlen=REMEMBERED)

    @property
    def reject_share(self) -> float:
        """The share of the last hundred orders that it rejected."""
        return sum(self._rejects) / len(self._rejects) if self._rejects else 0.0

    async def place(
        self, order: exchange_pb2.VenueOrder, call: Call
    ) -> exchange_pb2.PlaceOrderResponse:
        """Send an order; the runtime never repeats this by itself."""
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        request = exchange_pb2.PlaceOrderRequest(order=order, session_id=self.session_id)
        answer = await self.port.place_order(request, call)
        taken_s = loop.time() - start_s
        if self._rejects:
            self.latency_s += NEWEST_WEIGHT * (taken_s - self.latency_s)
        else:
            self.latency_s = taken_s
        self._rejects.append(answer.status == ORDER_STATUS_REJECTED)
        return answer

    async def capabilities(self, call: Call) -> exchange_pb2.GetCapabilitiesResponse:
        """Return what it says it can do; nothing while it does not answer."""
        if self._capabilities is None:
            try:
                request = exchange_pb2.GetCapabilitiesRequest()
                self._capabilities = await self.port.get_capabilities(request, call)
            except ServiceError:
                return exchange_pb2.GetCapabilitiesResponse()
        return self._capabilities
