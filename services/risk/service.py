"""Risk as a service: converts, calls the domain and the store, answers."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from trading.orders.v1.orders_port import OrderService
from trading.risk.v1 import risk_pb2 as pb
from trading.risk.v1.risk_port import RiskService

from runtime.environment import Environment
from runtime.identity import principal_of
from runtime.paging import place_of, size_of, token_of
from runtime.rpc import Call
from services.risk import records, store
from services.risk.deciding import Deciding
from services.risk.desk import Desk
from services.risk.feeds import Feeds
from services.risk.learning import Learning
from services.risk.peers import Connect, Peers
from services.risk.records import Wanted
from services.risk.refusals import RiskRefused, refusals_as_status
from services.risk.settings import Settings
from services.risk.standing import standing
from services.risk.telling import Telling
from services.risk.validating import Validating
from services.risk.vigil import Vigil


class Risk(RiskService):
    """Decides what may become an order and what may leave; signs it with `approval_key`."""

    def __init__(self, environment: Environment, approval_key: bytes, connect: Connect) -> None:
        self._environment = environment
        self._desk = Desk(environment)
        self._peers = Peers.through(connect, self._desk)
        self._feeds = Feeds(self._desk, self._peers)
        self._learning = Learning(self._desk, self._peers)
        self._settings = Settings(self._desk)
        deciding = Deciding(environment.clock, environment.ids, approval_key)
        self._telling = Telling(self._desk)
        self._vigil = Vigil(self._desk, connect(OrderService))
        self._desk.on_change = self._vigil.look
        self._validating = Validating(self._desk, self._peers, deciding)

    async def start(self) -> None:
        """Read the state as it was committed last, and follow prices and cash."""
        await self._desk.start()
        state = await self._desk.ready()
        self._environment.progress.has_read(store.ORDER_EVENTS, state.book.sequence)
        self._environment.progress.has_read(store.CANDLES, state.cursors.get(store.CANDLES, 0))
        self._environment.tasks.spawn(self._feeds.follow_prices(), name="prices")
        self._environment.tasks.spawn(self._feeds.follow_cash(), name="cash")
        self._environment.tasks.spawn(self._vigil.keep(), name="vigil")

    async def stop(self) -> None:
        """End watches and what runs for callers; what was committed stays."""
        self._desk.feed.close()
        await self._settings.stop()
        await self._environment.tasks.stop()

    async def validate_signal(
        self, request: pb.ValidateSignalRequest, call: Call = Call()
    ) -> pb.ValidateSignalResponse:
        """Decide whether a signal may become an order; see the contract."""
        with refusals_as_status():
            self._learning.check_caught_up()
            return await self._validating.signal(request, call)

    async def validate_order(
        self, request: pb.ValidateOrderRequest, call: Call = Call()
    ) -> pb.ValidateOrderResponse:
        """Decide whether an order may leave, and hold for it; see the contract."""
        with refusals_as_status():
            self._learning.check_caught_up()
            return await self._validating.order(request, call)

    async def release_order(
        self, request: pb.ReleaseOrderRequest, call: Call = Call()
    ) -> pb.ReleaseOrderResponse:
        """Give back what an order holds; see the contract."""
        with refusals_as_status():
            return await self._validating.release(request)

    async def report_order_events(
        self, request: pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> pb.ReportOrderEventsResponse:
        """Learn what became of orders; see the contract."""
        with refusals_as_status():
            last = await self._learning.learn(request.events, call)
        return pb.ReportOrderEventsResponse(last_sequence=last)

    async def get_limits(
        self, request: pb.GetLimitsRequest, call: Call = Call()
    ) -> pb.GetLimitsResponse:
        """Return the limits in force; see the contract."""
        return await self._settings.limits(request)

    async def set_limits(
        self, request: pb.SetLimitsRequest, call: Call = Call()
    ) -> pb.SetLimitsResponse:
        """Let limits hold from now on; see the contract."""
        with refusals_as_status():
            return await self._settings.set_limits(request)

    async def set_trading_mode(
        self, request: pb.SetTradingModeRequest, call: Call = Call()
    ) -> pb.SetTradingModeResponse:
        """Let a mode hold until it is set again; see the contract."""
        with refusals_as_status():
            return await self._settings.set_mode(request, principal_of(call))

    async def get_risk_state(
        self, request: pb.GetRiskStateRequest, call: Call = Call()
    ) -> pb.GetRiskStateResponse:
        """Return where an account stands against its limits; see the contract."""
        with refusals_as_status():
            state = await self._desk.ready()
            if request.account not in state.book.accounts:  # Its cash may not have come by yet.
                await self._peers.read_cash(request.account, call)
                state = await self._desk.ready()
            now_ns = self._environment.clock.now_ns()
            state.begin_day(request.account, now_ns)
            if state.has_untold:  # Modes that it changes hold once they are stored.
                state = await self._desk.settled(request.account)
            return standing(state, request.account, now_ns)

    async def list_decisions(
        self, request: pb.ListDecisionsRequest, call: Call = Call()
    ) -> pb.ListDecisionsResponse:
        """Return decisions, the newest first; see the contract."""
        with refusals_as_status():
            before = int(place_of(request, request.page_token) or 0)
        wanted = Wanted(request.account, request.strategy_id, request.subject_id, request.verdict)
        count = size_of(request.page_size)
        found = await self._environment.database.read(
            lambda tx: records.newest(tx, wanted, before=before, count=count + 1)
        )
        page = found[:count]
        token = token_of(request, str(page[-1][0])) if len(found) > count else ""
        decisions = [decision for _, decision in page]
        return pb.ListDecisionsResponse(decisions=decisions, next_page_token=token)

    async def get_decision(
        self, request: pb.GetDecisionRequest, call: Call = Call()
    ) -> pb.GetDecisionResponse:
        """Return one decision; see the contract."""
        name = request.decision_id
        found = await self._environment.database.read(lambda tx: records.by_id(tx, name))
        with refusals_as_status():
            if found is None:
                raise RiskRefused(
                    pb.RISK_REFUSAL_REASON_DECISION_UNKNOWN,
                    f"there is no decision {name}: list decisions to find it",
                )
        return pb.GetDecisionResponse(decision=found)

    async def watch_risk_events(
        self, request: pb.WatchRiskEventsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchRiskEventsResponse, None]:
        """Stream warnings, mode changes and anomalies; see the contract."""
        async with aclosing(self._telling.watch(request)) as messages:
            async for message in messages:
                yield message
