"""Execution: works approved orders at the venue."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from trading.exchange.v1 import exchange_pb2
from trading.exchange.v1.exchange_port import ExchangeService
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason
from trading.execution.v1.execution_port import ExecutionService

from runtime.environment import Environment
from runtime.rpc import Call
from runtime.stores import Epochs, Requests
from runtime.times import to_duration
from services.execution import inbox, store
from services.execution import tables as t
from services.execution.cancels import Cancels, unknown
from services.execution.children import split
from services.execution.desk import Desk
from services.execution.doubts import Doubts
from services.execution.gate import check_algorithm
from services.execution.intents import Intents
from services.execution.refusals import ExecutionRefused, refusals_as_status
from services.execution.replaces import Replaces
from services.execution.reports import Reports
from services.execution.starts import Starts
from services.execution.venue import VenueLink
from services.execution.wire import (
    ENDED,
    STATES,
    as_parents,
    execution_message,
    queried,
    venue_of,
)

SESSION_SHARD = "execution"


class Execution(ExecutionService):
    """Executes approved orders directly: one child each, under the parent's id.

    `approval_key` is the one that risk signs with; `venue` is the suffix of the instruments
    that trade at `exchange`.
    """

    def __init__(
        self,
        environment: Environment,
        approval_key: bytes,
        exchange: ExchangeService,
        venue: str = "XSIM",
    ) -> None:
        link = VenueLink(venue, exchange)
        self._environment = environment
        self._desk = Desk(environment, approval_key, link)
        self._doubts = Doubts(self._desk)
        intents = Intents(self._desk)
        self._starts = Starts(self._desk, intents, self._doubts)
        self._cancels = Cancels(self._desk, intents, self._starts)
        self._replaces = Replaces(self._desk, intents, self._starts)
        self._reports = Reports(self._desk, self._starts.settled, lambda key: None)
        self._requests = Requests(
            environment.database, t.requests, environment.clock, service="execution"
        )

    async def start(self) -> None:
        """Open a session with the venue, go on reading its reports, ask for what is in doubt."""
        database, link = self._environment.database, self._desk.link
        await database.create(t.metadata)
        epoch = await database.write(lambda tx: Epochs(t.epochs).take(tx, SESSION_SHARD))
        link.session_id = f"execution-{epoch}"
        await database.write(lambda tx: inbox.keep_session(tx, link.venue, link.session_id))
        await self._reports.begin()
        self._environment.tasks.spawn(self._reports.run(), name=f"reports {link.venue}")
        for child in await database.read(store.load_unsettled):
            self._doubts.watch((child.account, child.child_order_id))

    async def stop(self) -> None:
        """End calls and background work; what was committed stays."""
        self._reports.feed.close()
        await self._requests.stop()
        await self._environment.tasks.stop()

    async def start_execution(
        self, request: pb.StartExecutionRequest, call: Call = Call()
    ) -> pb.StartExecutionResponse:
        """Commit and send an approved order; answer once the venue has answered."""
        with refusals_as_status():
            check_algorithm(request.order)
            self._check_venue(venue_of(request.order.instrument))
            return await self._starts.start(request, call)

    async def cancel_execution(
        self, request: pb.CancelExecutionRequest, call: Call = Call()
    ) -> pb.CancelExecutionResponse:
        """Cancel what is left of an execution; answer once the venue has answered."""

        async def work() -> pb.CancelExecutionResponse:
            with refusals_as_status():
                return await self._cancels.cancel(request, call)

        key = pb.CancelExecutionRequest()
        key.CopyFrom(request)
        key.ClearField("epoch")  # Another writer of orders repeats the same cancel.
        return await self._requests.once("CancelExecution", request.request_id, key, work)

    async def replace_execution(
        self, request: pb.ReplaceExecutionRequest, call: Call = Call()
    ) -> pb.ReplaceExecutionResponse:
        """Give an execution another quantity or limit; answer once the venue has answered."""

        async def work() -> pb.ReplaceExecutionResponse:
            with refusals_as_status():
                return await self._replaces.replace(request, call)

        key = pb.ReplaceExecutionRequest()
        key.CopyFrom(request)
        key.ClearField("epoch")  # Another writer of orders repeats the same replacement.
        return await self._requests.once("ReplaceExecution", request.request_id, key, work)

    async def get_execution(
        self, request: pb.GetExecutionRequest, call: Call = Call()
    ) -> pb.GetExecutionResponse:
        """Answer an execution's plan, child and where its quantity is."""
        key = (request.account, request.client_order_id)
        parent, children = await self._environment.database.read(
            lambda tx: (store.load_parent(tx, key), store.load_children_of(tx, key))
        )
        with refusals_as_status():
            if parent is None:
                raise unknown(key)
        is_ended = STATES[children[0].status] in ENDED
        parts = split(children[0].quantity_atto, children, is_ended=is_ended)
        return execution_message(parent, children, parts)

    async def query_order(
        self, request: pb.QueryOrderRequest, call: Call = Call()
    ) -> pb.QueryOrderResponse:
        """Ask the venue for an order now."""
        with refusals_as_status():
            self._check_venue(request.venue)
        found = await self._doubts.query((request.account, request.client_order_id), call)
        answer = pb.QueryOrderResponse(session_id=self._desk.link.session_id)
        if found.answer is None:
            answer.is_absence_certain = found.is_absence_certain
            return answer
        answer.found = True
        answer.order.CopyFrom(queried(found.answer.order))
        answer.executions.extend(as_parents(one, found.child) for one in found.answer.executions)
        answer.as_of_sequence = found.answer.as_of_sequence
        return answer

    async def list_venue_orders(
        self, request: pb.ListVenueOrdersRequest, call: Call = Call()
    ) -> pb.ListVenueOrdersResponse:
        """List an account's orders at the venue."""
        with refusals_as_status():
            self._check_venue(request.venue)
        page = await self._desk.link.port.list_orders(
            exchange_pb2.ListOrdersRequest(
                account=request.account,
                is_open_only=request.is_open_only,
                page_size=request.page_size,
                page_token=request.page_token,
            ),
            call,
        )
        return pb.ListVenueOrdersResponse(
            orders=[queried(state) for state in page.orders],
            next_page_token=page.next_page_token,
            as_of_sequence=page.as_of_sequence,
        )

    async def watch_execution_reports(
        self, request: pb.WatchExecutionReportsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchExecutionReportsResponse, None]:
        """Stream the venue's reports, each committed here before."""
        reports = self._reports
        async with aclosing(reports.feed.watch(request.after_sequence, reports.load)) as commits:
            async for commit in commits:
                yield pb.WatchExecutionReportsResponse(
                    reports=commit.item or (),
                    sequence=commit.sequence,
                    is_heartbeat=commit.is_heartbeat,
                )

    async def list_venues(
        self, request: pb.ListVenuesRequest, call: Call = Call()
    ) -> pb.ListVenuesResponse:
        """List the venue: what it can do and how it is."""
        link = self._desk.link
        can = await link.capabilities(Call(timeout_s=0.2, metadata=call.metadata))
        venue = pb.Venue(
            venue=link.venue,
            order_types=can.order_types,
            times_in_force=can.times_in_force,
            is_deduplicating=can.is_deduplicating,
            latency=to_duration(round(link.health.latency_s * 1e9)),
            reject_share=link.health.reject_share,
            is_healthy=link.is_up and not link.ails(),
            session_id=link.session_id,
            report_sequence=link.report_sequence,
        )
        return pb.ListVenuesResponse(venues=[venue])

    def _check_venue(self, venue: str) -> None:
        if venue != self._desk.link.venue:
            raise ExecutionRefused(
                Reason.EXECUTION_REFUSAL_REASON_VENUE_UNKNOWN,
                f"nobody here trades at {venue}: the venue is {self._desk.link.venue}",
            )
