"""Answers where executions stand, from the store alone."""

from trading.execution.v1 import execution_pb2 as pb

from services.execution import inbox, plans, showing, store
from services.execution.cancels import unknown
from services.execution.children import split
from services.execution.store import Key
from services.execution.tools import Tools
from services.execution.wire import ENDED, STATES, execution_message


class Looking:
    """Reads executions."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def execution(self, key: Key) -> pb.GetExecutionResponse:
        """Return an execution as it stands; raises ExecutionRefused for an unknown one."""
        parent, plan, children, slices = await self._tools.desk.environment.database.read(
            lambda tx: (
                store.load_parent(tx, key),
                plans.load(tx, key),
                store.load_children_of(tx, key),
                plans.slices_of(tx, key),
            )
        )
        if parent is None:
            raise unknown(key)
        if plan is not None:
            note = self._tools.stops(plan)
            return showing.execution_message(parent, plan, children, slices, note)
        is_ended = STATES[children[0].status] in ENDED
        parts = split(children[0].quantity_atto, children, is_ended=is_ended)
        return execution_message(parent, children, parts)

    async def queried(self, key: Key) -> pb.QueryOrderResponse | None:
        """Return a parent that is worked over time as orders asks for it, None for any other."""
        parent, plan, reports = await self._tools.desk.environment.database.read(
            lambda tx: (
                store.load_parent(tx, key),
                plans.load(tx, key),
                inbox.reports_of(tx, key),
            )
        )
        if parent is None or plan is None:
            return None
        return pb.QueryOrderResponse(
            found=True,
            order=showing.queried_parent(parent, plan),
            executions=reports,
            session_id=self._tools.desk.link.session_id,
        )
