"""Whatever orders, fills and prices come in whatever order, the promises hold."""

from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runtime.atto import ATTO, to_atto
from services.risk.account import Account
from services.risk.book import Book
from services.risk.case import Case
from services.risk.decide import decide, held_by
from services.risk.following import Following
from services.risk.holds import hold_minor
from services.risk.orders import BUY, SELL, Order, OrderType
from services.risk.reasons import Verdict
from services.risk.rules import FIRM, Limits, Reference
from services.risk.tests import mothers

NAMES = ("ALPHA.XSIM", "BETA.XSIM")
# With the second ones only the cash is in the way.
LIMITS = (Limits(), mothers.limits(position_share_bps_max=15_000, gross_share_bps_max=30_000))


@dataclass
class Working:
    """An approved order as the venue would see it."""

    order: Order
    leaves: int
    opening: int = field(default=0)


class Trading(RuleBasedStateMachine):
    """One account that orders, fills and cancels at constant prices, without fees.

    Prices stand still, so no position may grow past a limit by itself: what is above a
    limit was let through.
    """

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.account: Account = self.book.fund(
            mothers.ACCOUNT,
            currency="USD",
            transfers_minor=mothers.MILLION_MINOR,
            now_ns=mothers.NOW_NS,
        )
        for name in NAMES:
            self.book.instruments[name] = replace(mothers.instrument(), name=name)
            self.book.mark(name, Reference(to_atto("100"), mothers.NOW_NS, 1), mothers.NOW_NS)
        self.working: dict[str, Working] = {}
        self.count = 0
        self.limits = LIMITS[0]

    @initialize(limits=st.sampled_from(LIMITS))
    def set_limits(self, limits: Limits) -> None:
        self.limits = self.book.limits[FIRM] = limits

    @rule(
        name=st.sampled_from(NAMES),
        direction=st.sampled_from([BUY, SELL]),
        quantity=st.sampled_from([1, 300, 700, 1_100, 1_900, 2_000, 4_000]),
        limit=st.sampled_from([None, "100"]),
        is_reduce_only=st.sampled_from([False, False, True]),
    )
    def order(
        self, name: str, direction: int, quantity: int, limit: str | None, is_reduce_only: bool
    ) -> None:
        self.count += 1
        asked = mothers.order(
            quantity,
            client_order_id=f"o{self.count}",
            instrument=name,
            direction=direction,
            type=OrderType.LIMIT if limit else OrderType.MARKET,
            limit_atto=to_atto(limit) if limit else None,
            is_reduce_only=is_reduce_only,
        )
        now_ns = mothers.NOW_NS + self.count * 10**10
        conditions = self.book.conditions(mothers.ACCOUNT, "", on=name, now_ns=now_ns)
        case = Case(asked, self.account, conditions)
        if decide(case).verdict is Verdict.APPROVED:
            self.account.put(held_by(case))
            self.working[asked.client_order_id] = Working(asked, quantity)

    @precondition(lambda self: self.working)
    @rule(which=st.integers(0, 99), share=st.sampled_from([10, 50, 100]))
    def fill(self, which: int, share: int) -> None:
        working = list(self.working.values())[which % len(self.working)]
        order = working.order
        held = self.account.holding(order.instrument).quantity_atto // ATTO
        quantity = max(1, working.leaves * share // 100)
        if order.is_reduce_only:  # The venue cuts it to the position (R4).
            quantity = min(quantity, max(0, -held * order.direction))
        if not quantity:
            return
        self.count += 1
        working.leaves -= quantity
        filled = mothers.fill(
            quantity * order.direction,
            "100",
            exec_id=f"x{self.count}",
            order_id=order.client_order_id,
            instrument=order.instrument,
            fee_minor=0,
        )
        self._report(working, mothers.traded(filled))

    @precondition(lambda self: self.working)
    @rule(which=st.integers(0, 99))
    def cancel(self, which: int) -> None:
        working = list(self.working.values())[which % len(self.working)]
        working.leaves = 0
        self._report(working, None)

    @rule(which=st.integers(0, 99))
    def doubt(self, which: int) -> None:
        if self.working:
            working = list(self.working.values())[which % len(self.working)]
            self._report(working, None, is_in_doubt=True)

    def _report(self, working: Working, report: object, **changes: bool) -> None:
        order, is_over = working.order, not working.leaves
        following = Following(self.book, known={}, logs={})
        following.apply(
            mothers.step(order, working.leaves, is_over=is_over, report=report, **changes)
        )
        assert not following.anomalies
        if is_over:
            del self.working[order.client_order_id]

    @invariant()
    def positions_and_open_orders_stay_within_the_limits(self) -> None:
        """Recomputed from fills and orders alone: what reduces is apart."""
        equity = self.account.equity_minor
        assert equity == mothers.MILLION_MINOR
        gross = 0
        for name in NAMES:
            held = self.account.holding(name).quantity_atto // ATTO
            sizes = [abs(held)]
            for direction in (BUY, SELL):
                plain = sum(
                    w.leaves
                    for w in self.working.values()
                    if w.order.instrument == name
                    and w.order.direction == direction
                    and not w.order.is_reduce_only
                )
                sizes.append(abs(held + direction * plain) if plain else 0)
            assert max(sizes) * 10_000 <= equity * self.limits.position_share_bps_max // 10_000
            gross += abs(held) * 10_000
        assert gross <= equity * self.limits.gross_share_bps_max // 10_000

    @invariant()
    def holds_equal_the_worst_case_of_open_orders(self) -> None:
        assert set(self.account.open) == set(self.working)
        for name, working in self.working.items():
            known = self.account.open[name]
            assert known.leaves_atto == working.leaves * ATTO
            assert known.opening_atto <= known.leaves_atto
            assert known.hold_minor == hold_minor(
                known.opening_atto, known.worst_atto, fee_bps=20, currency="USD"
            )

    @invariant()
    def totals_equal_their_parts(self) -> None:
        opens = self.account.open.values()
        assert self.account.held_minor == sum(o.hold_minor for o in opens)
        assert self.account.opening_minor == sum(o.opening_minor for o in opens)
        for name in NAMES:
            here = {i for i, o in self.account.open.items() if o.instrument == name}
            assert set(self.account.on_instrument.get(name, {})) == here

    @invariant()
    def worth_is_the_sum_of_the_positions_values(self) -> None:
        values = self.account.values.values()
        assert self.account.net_minor == sum(values)
        assert self.account.gross_minor == sum(map(abs, values))

    @invariant()
    def a_position_is_closed_once(self) -> None:
        for name in NAMES:
            held = self.account.holding(name).quantity_atto
            for direction in (BUY, SELL):
                closing = sum(
                    o.leaves_atto - o.opening_atto
                    for o in self.account.open.values()
                    if o.instrument == name and o.direction == direction and not o.is_reduce_only
                )
                assert closing <= max(0, -held * direction)

    @invariant()
    def own_money_covers_every_position_and_opening_order_once(self) -> None:
        """Prices stand still and nothing costs a fee: shorts bind as much as longs."""
        bound = sum(abs(value) for value in self.account.values.values())
        assert bound + self.account.opening_minor <= mothers.MILLION_MINOR


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
