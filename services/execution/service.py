"""Execution: works approved orders at the venue."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from trading.exchange.v1 import exchange_pb2
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason
from trading.execution.v1.execution_port import ExecutionService

from runtime.environment import Environment
from runtime.rpc import Call
from runtime.stores import Known, Requests, become_writer
from runtime.times import to_duration
from services.execution import inbox, store
from services.execution import tables as t
from services.execution.analyzing import Analyzing
from services.execution.cancels import Cancels, timeout_s
from services.execution.changes import Changes
from services.execution.desk import Desk
from services.execution.doubts import Doubts
from services.execution.health import Health
from services.execution.intents import Intents
from services.execution.listening import Listening
from services.execution.looking import Looking
from services.execution.market import Market
from services.execution.migrations import HISTORY
from services.execution.parents import Parents
from services.execution.peers import Peers
from services.execution.previewing import Previewing
from services.execution.probing import Probing
from services.execution.refusals import ExecutionRefused, refusals_as_status
from services.execution.replaces import Replaces
from services.execution.reports import Reports
from services.execution.starts import Starts
from services.execution.store import Key
from services.execution.tools import Tools
from services.execution.venue import VenueLink
from services.execution.wire import as_parents, queried, venue_of

SESSION_SHARD = "execution"


class Execution(ExecutionService):
    """Executes approved orders: directly in one child, or by an algorithm over time.

    `approval_key` is the one that risk signs with.
    """

    def __init__(self, environment: Environment, approval_key: bytes, peers: Peers) -> None:
        self._environment = environment
        link = VenueLink(peers.venue, peers.exchange)
        self._desk = Desk(environment, approval_key, link, Known(environment.database))
        self._doubts = Doubts(self._desk)
        self._reports = Reports(self._desk, self._settled, self._moved)
        self._listening = Listening(environment, peers.risk, self._modes_changed)
        intents = Intents(self._desk, self._listening.stops)
        market = Market(self._desk.link, peers.marketdata)
        self._tools = Tools(self._desk, market, self._reports, self._listening, self._doubts)
        self._parents = Parents(self._tools, intents)
        self._starts = Starts(self._desk, intents, self._doubts, self._parents)
        self._cancels = Cancels(self._desk, intents, self._starts)
        self._replaces = Replaces(self._desk, intents, self._starts)
        self._changes = Changes(self._tools, self._parents)
        self._looking = Looking(self._tools)
        self._analyzing = Analyzing(self._desk)
        self._previewing = Previewing(self._parents, market)
        self._probing = Probing(self._desk, self._doubts)
        self._intents = intents
        self._requests = Requests(
            environment.database, t.requests, environment.clock, service="execution"
        )

    async def start(self) -> None:
        """Open a session with the venue and go on with everything that has not ended."""
        database, link = self._environment.database, self._desk.link
        await database.migrate(HISTORY)
        epoch = await become_writer(database, t.epochs, SESSION_SHARD)
        link.session_id = f"execution-{epoch}"
        await database.write(lambda tx: inbox.keep_session(tx, link.venue, link.session_id))
        self._doubts.report_to(self._reports.take_some, self._moved)
        await self._reports.begin()
        self._environment.tasks.spawn(self._reports.run(), name=f"reports {link.venue}")
        self._environment.tasks.spawn(self._probing.run(), name=f"probe {link.venue}")
        self._listening.begin()
        for child in await database.read(store.load_unsettled):
            self._doubts.watch((child.account, child.child_order_id))
        await self._parents.resume()

    async def stop(self) -> None:
        """End calls and background work; what was committed stays."""
        self._reports.feed.close()
        self._listening.end()
        await self._requests.stop()
        await self._environment.tasks.stop()

    @property
    def venue_health(self) -> Health:
        """How the venue answers."""
        return self._desk.link.health

    def _settled(self, key: Key) -> None:
        self._starts.settled(key)

    def _moved(self, parent: Key) -> None:
        self._parents.wake(parent)

    def _modes_changed(self) -> None:
        self._parents.wake_all()

    async def start_execution(
        self, request: pb.StartExecutionRequest, call: Call = Call()
    ) -> pb.StartExecutionResponse:
        """Commit and send an approved order; answer once the venue has answered."""
        with refusals_as_status():
            self._check_venue(venue_of(request.order.instrument))
            await self._listening.told(timeout_s(call))
            return await self._starts.start(request, call)

    async def cancel_execution(
        self, request: pb.CancelExecutionRequest, call: Call = Call()
    ) -> pb.CancelExecutionResponse:
        """Cancel what is left of an execution; answer once the venue has answered."""

        async def work() -> pb.CancelExecutionResponse:
            with refusals_as_status():
                if await self._changes.knows((request.account, request.client_order_id)):
                    await self._intents.admit(request.epoch)
                    return await self._changes.cancel(request, call)
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
                if await self._changes.knows((request.account, request.client_order_id)):
                    await self._intents.admit(request.epoch)
                    return await self._changes.replace(request, call)
                return await self._replaces.replace(request, call)

        key = pb.ReplaceExecutionRequest()
        key.CopyFrom(request)
        key.ClearField("epoch")  # Another writer of orders repeats the same replacement.
        return await self._requests.once("ReplaceExecution", request.request_id, key, work)

    async def pause_execution(
        self, request: pb.PauseExecutionRequest, call: Call = Call()
    ) -> pb.PauseExecutionResponse:
        """Let an execution that is worked over time stand still, or go on."""

        async def work() -> pb.PauseExecutionResponse:
            with refusals_as_status():
                return await self._changes.pause(request)

        return await self._requests.once("PauseExecution", request.request_id, request, work)

    async def get_execution(
        self, request: pb.GetExecutionRequest, call: Call = Call()
    ) -> pb.GetExecutionResponse:
        """Answer an execution's plan, children and where its quantity is."""
        with refusals_as_status():
            await self._reports.catch_up()
            return await self._looking.execution((request.account, request.client_order_id))

    async def get_execution_analysis(
        self, request: pb.GetExecutionAnalysisRequest, call: Call = Call()
    ) -> pb.GetExecutionAnalysisResponse:
        """Answer how well an execution went."""
        with refusals_as_status():
            await self._reports.catch_up()
            return await self._analyzing.analysis((request.account, request.client_order_id))

    async def preview_execution(
        self, request: pb.PreviewExecutionRequest, call: Call = Call()
    ) -> pb.PreviewExecutionResponse:
        """Answer the plan that an order would get."""
        with refusals_as_status():
            self._check_venue(venue_of(request.order.instrument))
            return await self._previewing.preview(request, call)

    async def query_order(
        self, request: pb.QueryOrderRequest, call: Call = Call()
    ) -> pb.QueryOrderResponse:
        """Ask the venue for an order now."""
        with refusals_as_status():
            self._check_venue(request.venue)
        await self._reports.catch_up()
        key = (request.account, request.client_order_id)
        if (worked := await self._looking.queried(key)) is not None:
            return worked
        found = await self._doubts.query(key, call)
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
        can = await link.capabilities(call)
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
