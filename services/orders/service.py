"""The order management system: answers calls and hosts the workers."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from trading.orders.v1 import orders_pb2 as pb
from trading.orders.v1.orders_port import OrderService
from trading.risk.v1.risk_pb2 import ValidateOrderRequest
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.order_pb2 import OrderSpec

from runtime.environment import Environment
from runtime.identity import principal_of
from runtime.rpc import Call
from runtime.stores import Requests
from services.orders import answers, listing
from services.orders import tables as t
from services.orders.limits import Limit
from services.orders.mass import Scope
from services.orders.peers import Connect, Peers
from services.orders.refusals import OrderRefused, refusals_as_status
from services.orders.resolving import Resolution, find, resolve
from services.orders.store import Stored
from services.orders.submitting import Submitting
from services.orders.wire import PLACES, order_message
from services.orders.workers import Workers

IN_FLIGHT_MAX = 256
Reason = pb.OrderRefusalReason


class Orders(OrderService):
    """Owns every order's life."""

    def __init__(self, environment: Environment, connect: Connect) -> None:
        self._environment = environment
        self._workers = Workers(environment, Peers.through(connect))
        self._recorder = self._workers.desk.recorder
        self._requests = Requests(
            environment.database, t.requests, environment.clock, service="orders"
        )
        self._submitting = Submitting(environment, self._workers.submissions, self._requests)
        self._in_flight = 0

    async def start(self) -> None:
        """Take over as the only writer and catch up; until then calls that change are refused.

        Waits a few seconds for that, and goes on trying behind the scenes.
        """
        await self._workers.start()

    async def stop(self) -> None:
        """End calls and background work; what was committed stays."""
        self._workers.is_ready = False
        self._recorder.feed.close()
        self._recorder.alarms.close()
        await self._requests.stop()
        await self._environment.tasks.stop()

    async def submit_order(
        self, request: pb.SubmitOrderRequest, call: Call = Call()
    ) -> pb.SubmitOrderResponse:
        """Store, validate and send an order; answer once its outcome is known or in doubt."""
        with refusals_as_status():
            self._check_ready()
            if request.validate_only:
                return await self._opinion(request.order, call)
            if self._in_flight >= IN_FLIGHT_MAX:
                raise OrderRefused(
                    Reason.ORDER_REFUSAL_REASON_TOO_MANY_IN_FLIGHT,
                    f"{IN_FLIGHT_MAX} orders are on their way: repeat this one later",
                )
        self._in_flight += 1
        try:
            return await self._submitting.submit(request, Limit.of(call))
        finally:
            self._in_flight -= 1

    async def cancel_order(
        self, request: pb.CancelOrderRequest, call: Call = Call()
    ) -> pb.CancelOrderResponse:
        """Ask the venue to cancel an order; answer once it has decided or is in doubt."""
        limit = Limit.of(call)

        async def work() -> pb.CancelOrderResponse:
            with refusals_as_status():
                stored = await self._workers.cancels.cancel((await self._find(request)).key, limit)
            return pb.CancelOrderResponse(order=order_message(stored))

        with refusals_as_status():
            self._check_ready()
        return await self._requests.once("CancelOrder", request.request_id, request, work)

    async def cancel_orders(
        self, request: pb.CancelOrdersRequest, call: Call = Call()
    ) -> pb.CancelOrdersResponse:
        """Ask for the cancel of every live order in a scope; answer once all are asked for."""
        scope = Scope(request.scope.account, request.scope.strategy_id, request.scope.instrument)
        whole = pb.CancelOrdersRequest()
        whole.CopyFrom(request)
        for field in ("page_size", "page_token"):
            whole.ClearField(field)  # Another page of the same answer.

        async def work() -> pb.CancelOrdersResponse:
            return answers.canceled(await self._workers.mass.cancel(scope))

        with refusals_as_status():
            self._check_ready()
            page = listing.Page.of(whole, request.page_size, request.page_token)
        asked = await self._requests.once("CancelOrders", request.request_id, whole, work)
        return answers.page_of(asked, page)

    async def replace_order(
        self, request: pb.ReplaceOrderRequest, call: Call = Call()
    ) -> pb.ReplaceOrderResponse:
        """Ask the venue for new values of an order; answer once it has decided or is in doubt."""
        limit = Limit.of(call)

        async def work() -> pb.ReplaceOrderResponse:
            with refusals_as_status():
                key = (await self._find(request)).key
                values = answers.new_values(request)
                stored = await self._workers.replaces.replace(key, values, limit)
            return pb.ReplaceOrderResponse(order=order_message(stored))

        with refusals_as_status():
            self._check_ready()
        return await self._requests.once("ReplaceOrder", request.request_id, request, work)

    async def reconcile_orders(
        self, request: pb.ReconcileOrdersRequest, call: Call = Call()
    ) -> pb.ReconcileOrdersResponse:
        """Compare the live orders with a venue's, apply what is missing, say where they differ."""

        async def work() -> pb.ReconcileOrdersResponse:
            with refusals_as_status():
                found = await self._workers.reconciler.reconciled(request.venue)
            return answers.comparison(found)

        with refusals_as_status():
            self._check_ready()
        return await self._requests.once("ReconcileOrders", request.request_id, request, work)

    async def resolve_order(
        self, request: pb.ResolveOrderRequest, call: Call = Call()
    ) -> pb.ResolveOrderResponse:
        """End a doubt by a person's evidence."""
        principal = principal_of(call)
        person = principal.name if principal else ""

        async def work() -> pb.ResolveOrderResponse:
            with refusals_as_status():
                stored = await self._find(request)
                place = PLACES[request.outcome]
                word = Resolution(stored.key, request.etag, place, person, request.evidence)
                after = await self._recorder.write(lambda unit: resolve(unit, word))
            return pb.ResolveOrderResponse(order=order_message(after))

        with refusals_as_status():
            self._check_ready()
        return await self._requests.once("ResolveOrder", request.request_id, request, work)

    async def get_order(
        self, request: pb.GetOrderRequest, call: Call = Call()
    ) -> pb.GetOrderResponse:
        """Return an order as it is committed."""
        with refusals_as_status():
            return pb.GetOrderResponse(order=order_message(await self._find(request)))

    async def list_orders(
        self, request: pb.ListOrdersRequest, call: Call = Call()
    ) -> pb.ListOrdersResponse:
        """Return one page of orders, oldest first."""
        with refusals_as_status():
            page = listing.Page.of(request, request.page_size, request.page_token)
        wanted = answers.order_filter(request)
        found = await self._environment.database.read(
            lambda tx: listing.list_orders(tx, wanted, page)
        )
        return pb.ListOrdersResponse(
            orders=[order_message(stored) for stored in found],
            next_page_token=page.token_after([stored.number for stored in found]),
        )

    async def list_signal_decisions(
        self, request: pb.ListSignalDecisionsRequest, call: Call = Call()
    ) -> pb.ListSignalDecisionsResponse:
        """Return one page of what became of signals, in the order of the decisions."""
        with refusals_as_status():
            page = listing.Page.of(request, request.page_size, request.page_token)
        found = await self._environment.database.read(
            lambda tx: listing.list_decisions(tx, request.strategy_id, request.outcome, page)
        )
        return pb.ListSignalDecisionsResponse(
            decisions=[answers.signal_decision(decided) for decided in found],
            next_page_token=page.token_after([decided.number for decided in found]),
        )

    async def watch_order_events(
        self, request: pb.WatchOrderEventsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchOrderEventsResponse, None]:
        """Stream order events after a sequence, in sequence order, without end."""
        feed = self._recorder.feed
        matches = answers.event_filter(request)
        watch = feed.watch(request.after_sequence, self._events, matches)
        async with aclosing(watch) as deliveries:
            async for delivery in deliveries:
                yield pb.WatchOrderEventsResponse(
                    sequence=delivery.sequence,
                    is_heartbeat=delivery.is_heartbeat,
                    event=delivery.item,
                )

    async def watch_alarms(
        self, request: pb.WatchAlarmsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchAlarmsResponse, None]:
        """Stream alarms after a sequence, in sequence order, without end."""
        watch = self._recorder.alarms.watch(request.after_sequence, self._recorder.alarms_after)
        async with aclosing(watch) as deliveries:
            async for delivery in deliveries:
                yield pb.WatchAlarmsResponse(
                    sequence=delivery.sequence,
                    is_heartbeat=delivery.is_heartbeat,
                    alarm=delivery.item,
                )

    async def _events(self, after: int, count: int) -> Sequence[tuple[int, OrderEvent]]:
        return await self._recorder.events_after(after, count)

    def _check_ready(self) -> None:
        if not self._workers.is_ready:
            raise OrderRefused(
                Reason.ORDER_REFUSAL_REASON_RECONCILING,
                "orders has not caught up with execution since its start: repeat later",
            )

    async def _opinion(self, spec: OrderSpec, call: Call) -> pb.SubmitOrderResponse:
        request = ValidateOrderRequest(
            validation_id=f"{spec.client_order_id}:1",
            order=spec,
            epoch=self._recorder.epoch,
            validate_only=True,
        )
        answer = await self._workers.desk.risk.validate_order(request, call)
        return pb.SubmitOrderResponse(decision=answer.decision)

    async def _find(
        self,
        request: pb.GetOrderRequest
        | pb.CancelOrderRequest
        | pb.ReplaceOrderRequest
        | pb.ResolveOrderRequest,
    ) -> Stored:
        order_id = (
            ""
            if isinstance(request, pb.ReplaceOrderRequest | pb.ResolveOrderRequest)
            else request.order_id
        )
        return await self._environment.database.read(
            lambda tx: find(
                tx,
                client_order_id=request.client_order_id,
                order_id=order_id,
                account=request.account,
            )
        )
