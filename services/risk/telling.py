"""Shows risk events to those who watch, and with them how far everybody may still trade."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1.risk_pb2 import RISK_EVENT_KIND_MODE_CHANGED, RiskEvent

from services.risk import governing, records
from services.risk.desk import Desk

MODE_PREFIX = "TRADING_MODE_"


class Telling:
    """Answers WatchRiskEvents."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def watch(
        self, request: pb.WatchRiskEventsRequest
    ) -> AsyncGenerator[pb.WatchRiskEventsResponse, None]:
        """Yield a heartbeat with the modes that are set, then events as they happen."""
        scopes = {governing.scope_text(governing.scope_of(scope)) for scope in request.scopes}

        def is_wanted(event: RiskEvent) -> bool:
            if scopes and event.scope not in scopes:
                return False
            return event.severity >= request.min_severity

        is_first = True
        deliveries = self._desk.feed.watch(request.after_sequence, self._load, is_wanted)
        async with aclosing(deliveries):
            async for found in deliveries:
                message = pb.WatchRiskEventsResponse(
                    sequence=found.sequence, is_heartbeat=found.is_heartbeat, event=found.item
                )
                if is_first:  # Read after the sequence was taken: never older than it says.
                    message.modes.extend(await self._modes())
                    is_first = False
                if found.item is not None and found.item.kind == RISK_EVENT_KIND_MODE_CHANGED:
                    message.mode.CopyFrom(mode_in(found.item))
                yield message

    async def _load(self, after: int, limit: int) -> list[tuple[int, RiskEvent]]:
        return await self._desk.environment.database.read(
            lambda tx: list(records.events_after(tx, after, limit))
        )

    async def _modes(self) -> list[pb.ScopedMode]:
        """Return the committed modes: what is on its way to the store is told as an event."""
        found = await self._desk.environment.database.read(records.modes)
        return [mode for mode, _ in found]


def mode_in(event: RiskEvent) -> pb.ScopedMode:
    """Return the mode that a MODE_CHANGED event tells of."""
    kind, _, name = event.scope.partition(":")
    return pb.ScopedMode(
        scope=pb.Scope(kind=pb.ScopeKind.Value(f"SCOPE_KIND_{kind.upper()}"), id=name),
        mode=pb.TradingMode.Value(f"{MODE_PREFIX}{event.observed}"),
        reason=event.limit,
        since=event.header.occurred_at,
    )
