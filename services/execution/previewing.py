"""Answers the plan that an order would get, and what it may cost; nothing is kept or sent."""

from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1.order_pb2 import OrderSpec

from runtime.atto import ATTO, from_atto
from runtime.rpc import Call
from runtime.times import to_timestamp
from services.execution.algorithms.analysis import BP
from services.execution.algorithms.profiles import Profile
from services.execution.algorithms.sizing import PPM
from services.execution.algorithms.terms import Kind, Style, Terms
from services.execution.market import Book, Market
from services.execution.parents import Parents, Planned
from services.execution.planning import is_direct

PASSIVE_COST = 0.5  # Of the half spread: half of a slice is taken for filled at its own side.
RULES = {
    Style.CROSS: "limit at the far touch, immediate or cancel",
    Style.PASSIVE_THEN_CROSS: "limit at the own touch; half-way, what is left at the far touch",
}


class Previewing:
    """Plans orders without starting them."""

    def __init__(self, parents: Parents, market: Market) -> None:
        self._parents = parents
        self._market = market

    async def preview(
        self, request: pb.PreviewExecutionRequest, call: Call
    ) -> pb.PreviewExecutionResponse:
        """Return slices, expected participation and cost; raises ExecutionRefused."""
        order = request.order
        if is_direct(order):
            return pb.PreviewExecutionResponse(slices=[_whole(order)])
        given = tuple(request.profile)
        planned = await self._parents.planned(order, call, given=given, is_jittered=False)
        book = await self._market.book(order.instrument)
        profile = await self._market.profile(order.instrument, call)
        return pb.PreviewExecutionResponse(
            slices=_slices(planned),
            profile=planned.timetable.profile,
            expected_participation=_participation(planned, profile),
            expected_cost_bp=_cost_bp(planned.terms, book),
        )


def _whole(order: OrderSpec) -> pb.PlannedSlice:
    return pb.PlannedSlice(quantity=order.quantity, price_rule="as the order says, at once")


def _slices(planned: Planned) -> list[pb.PlannedSlice]:
    terms, slices, before = planned.terms, [], 0
    if terms.kind is Kind.ICEBERG:
        return [_slice(planned, terms.start_ns, terms.display_lots, "limit, shown in parts")]
    if terms.kind is Kind.POV:
        rule = f"a share of {terms.participation_ppm / PPM:.1%} of the volume, every second"
        return [_slice(planned, terms.start_ns, terms.quantity_lots, rule)]
    for one in planned.timetable.slices:
        lots = one.target_lots - before
        slices.append(_slice(planned, one.due_ns, lots, RULES[terms.style]))
        before = one.target_lots
    return slices


def _slice(planned: Planned, time_ns: int, lots: int, rule: str) -> pb.PlannedSlice:
    made = pb.PlannedSlice(time=to_timestamp(time_ns), price_rule=rule)
    made.quantity.value = from_atto(lots * planned.trade.lot_atto)
    return made


def _participation(planned: Planned, profile: Profile | None) -> float:
    """Return the expected share of the market's volume, 0 when no volume is known."""
    terms = planned.terms
    if terms.kind is Kind.POV:
        return terms.participation_ppm / PPM
    if profile is None or not terms.end_ns:
        return 0.0
    expected = float(profile.volumes(terms.start_ns, terms.end_ns, 1).sum()) * profile.day_volume
    own = terms.quantity_lots * planned.trade.lot_atto / ATTO
    return float(own / (own + expected))


def _cost_bp(terms: Terms, book: Book | None) -> float:
    """Return the half spread in basis points, as far as the style pays it; 0 when not known."""
    if book is None or not book.touch.twice_mid:
        return 0.0
    half_bp = (book.touch.ask_ticks - book.touch.bid_ticks) / book.touch.twice_mid * BP
    share = 1.0 if terms.style is Style.CROSS else PASSIVE_COST
    return float(half_bp * share)
