"""A rig whose venue has a market, and orders that are worked over time."""

import asyncio
from collections.abc import Sequence
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.type.decimal_pb2 import Decimal
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1.execution_pb2 import EXEC_TYPE_TRADE, ExecutionReport
from trading.types.v1.order_pb2 import AlgorithmKind, AlgorithmSpec, OrderSpec

from runtime.times import NS_PER_S, to_timestamp
from services.execution.tests import mothers
from services.execution.tests.market_venue import MarketVenue
from services.execution.tests.mothers import START_NS
from services.execution.tests.rig import Rig

MINUTE_NS = 60 * NS_PER_S


def algorithm(kind: str, *, minutes: float = 10, **changes: Any) -> AlgorithmSpec:
    """Return an algorithm whose window begins now; no minutes: it has no window."""
    fields: dict[str, Any] = {"kind": AlgorithmKind.Value(f"ALGORITHM_KIND_{kind}")}
    if minutes:
        fields["end_time"] = to_timestamp(START_NS + round(minutes * MINUTE_NS))
    if "interval_s" in changes:
        fields["slice_interval"] = Duration(seconds=changes.pop("interval_s"))
    quantities = ("min_child", "max_child", "display_quantity", "participation")
    for name in quantities:
        if name in changes:
            changes[name] = Decimal(value=str(changes[name]))
    return AlgorithmSpec(**(fields | changes))


def order(kind: str, quantity: int = 100, **changes: Any) -> OrderSpec:
    """Return an order to buy ALPHA up to 105 by an algorithm."""
    spec: dict[str, Any] = {
        name: changes.pop(name)
        for name in ("side", "limit_price", "type", "time_in_force", "client_order_id")
        if name in changes
    }
    spec.setdefault("limit_price", Decimal(value="105"))
    spec["algorithm"] = algorithm(kind, **changes)
    return mothers.order(quantity=Decimal(value=str(quantity)), **spec)


class WorkingRig(Rig):
    """Execution at a venue with a market."""

    venue: MarketVenue

    def __init__(self) -> None:
        super().__init__()
        self.venue = MarketVenue()

    @property
    def sent(self) -> list[tuple[str, int]]:
        """What came to the venue: name and lots, in order."""
        return [(p.order.client_order_id, int(p.order.quantity.value)) for p in self.venue.places]

    async def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def until_sent(self, count: int = 1) -> None:
        """Let time pass until so many children have come to the venue, or been lost."""
        for _ in range(10_000):
            if len(await self.rows("children")) >= count:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{count} children were never sent")

    async def parts(self) -> tuple[int, int, int, int]:
        """Return filled, working, doubtful and unscheduled of Ana's order."""
        state = await self.state()
        return parts_of(state)

    async def trades(self) -> Sequence[ExecutionReport]:
        """Return what orders was told of trades."""
        return [one for one in await self.reports() if one.exec_type == EXEC_TYPE_TRADE]


def parts_of(state: pb.GetExecutionResponse) -> tuple[int, int, int, int]:
    """Return filled, working, doubtful and unscheduled."""
    return (
        int(state.filled.value),
        int(state.working.value),
        int(state.doubtful.value),
        int(state.unscheduled.value),
    )
