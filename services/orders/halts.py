"""Listens to risk: where trading is halted, every live order is canceled (K8)."""

import logging
from collections.abc import AsyncGenerator, Sequence

from trading.risk.v1 import risk_pb2 as pb

from runtime.environment import Environment
from runtime.follow import Following, follow, seen
from services.orders import bookkeeping
from services.orders.desk import Desk
from services.orders.listening import attentive
from services.orders.mass import MassCancels, Scope

SOURCE = "risk"
STREAM = "risk_events"
log = logging.getLogger(__name__)

Message = pb.WatchRiskEventsResponse
FIELDS = {
    pb.SCOPE_KIND_ACCOUNT: "account",
    pb.SCOPE_KIND_STRATEGY: "strategy_id",
    pb.SCOPE_KIND_INSTRUMENT: "instrument",
}


class HaltReader:
    """Follows risk's events; cancels need no decision of anybody's and are never blocked."""

    def __init__(self, desk: Desk, mass: MassCancels) -> None:
        self._desk = desk
        self._mass = mass

    async def run(self) -> None:
        """Read until cancelled; what was missed while down is read first."""
        environment: Environment = self._desk.environment
        after = await environment.database.write(lambda tx: bookkeeping.report_cursor(tx, SOURCE))
        environment.progress.has_read(STREAM, after)
        await follow(Following(STREAM, self._watch, self._take), after=after, rng=environment.rng)

    def _watch(self, after: int) -> AsyncGenerator[Message, None]:
        request = pb.WatchRiskEventsRequest(after_sequence=after)
        return attentive(self._desk.risk.watch_risk_events(request), after=after, stream=STREAM)

    async def _take(self, batch: Sequence[Message]) -> None:
        """Cancel what is halted. The first heartbeat names every mode: none can be missed."""
        modes = [mode for message in batch for mode in (message.mode, *message.modes)]
        with self._desk.environment.progress.working("halt"):
            for mode in modes:
                if mode.mode == pb.TRADING_MODE_HALTED:
                    await self._cancel_all(mode)
        sequence = seen(batch)
        if not sequence:
            return
        await self._desk.environment.database.write(
            lambda tx: bookkeeping.move_reports(tx, SOURCE, sequence)
        )
        self._desk.environment.progress.has_read(STREAM, sequence)

    async def _cancel_all(self, mode: pb.ScopedMode) -> None:
        asked = await self._mass.cancel(scope_of(mode.scope))
        if asked:
            log.warning("%d orders are canceled: halted, %s", len(asked), mode.reason)


def scope_of(scope: pb.Scope) -> Scope:
    """Return which orders a scope of risk covers; the firm's covers all."""
    field = FIELDS.get(scope.kind)
    return Scope(**{field: scope.id}) if field else Scope()
