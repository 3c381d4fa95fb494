"""Judging a batch by columns and judging one case by one: the same codes, whatever the limits."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.atto import ATTO, to_atto
from services.risk.account import Account
from services.risk.case import Blocks, Case, Conditions
from services.risk.decide import decide
from services.risk.facts import Named, facts_of, pack, unpack
from services.risk.orders import BUY, SELL, Order, OrderType
from services.risk.reasons import Mode, Reason
from services.risk.rejudging import BATCH_SIZE, batch_of, batches, codes_in, judge
from services.risk.rules import Limits, ProtectionRule, Reference
from services.risk.streaks import Streak
from services.risk.tests import mothers
from services.risk.tests.mothers import account, case, holding, instrument, order

MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
PRICES = ("0.01", "99.99", "100", "123.456789", "98765.432100000000000001")
SHARES = st.sampled_from([0, 1, 500, 2_000, 10_000, 2**31 - 1])
COUNTS = st.sampled_from([0, 1, 2, 3, 20, 10**6])


@st.composite
def some_limits(draw: st.DrawFn) -> Limits:
    return Limits(
        order_lots_max=draw(st.sampled_from([0, 5, 10_000])),
        order_notional_max_atto=draw(st.sampled_from([0, 10**21, 10**24, 10**40])),
        position_share_bps_max=draw(SHARES),
        gross_share_bps_max=draw(SHARES),
        entries_per_instrument_max=draw(COUNTS),
        open_orders_max=draw(COUNTS),
        open_order_value_share_bps_max=draw(SHARES),
        strategy_orders_per_minute_max=draw(COUNTS),
        account_orders_per_minute_max=draw(COUNTS),
        duplicate_window_ns=draw(st.sampled_from([0, 10**9, 60 * 10**9])),
        protection=draw(st.sampled_from(ProtectionRule)),
        is_short_allowed=draw(st.booleans()),
        market_order_margin_bps=draw(st.sampled_from([0, 1, 100, 33_333])),
        fee_bps_max=draw(st.sampled_from([0, 20, 77])),
        traders=draw(st.sampled_from([frozenset[str](), frozenset({"ana"}), frozenset({"s"})])),
        repeated_executions_per_minute_max=draw(COUNTS),
        day_loss_bps_max=draw(st.sampled_from([0, 100, 500])),
        drawdown_bps_reduce_only=draw(st.sampled_from([0, 100, 1_500])),
        losses_in_a_row_max=draw(st.sampled_from([0, 1, 5])),
        restricted=draw(st.sampled_from([frozenset[str](), frozenset({mothers.INSTRUMENT})])),
        is_suspended=draw(st.booleans()),
    )


@st.composite
def some_account(draw: st.DrawFn) -> Account:
    of = account(transfers_minor=draw(st.sampled_from([None, 0, 7, 10**8, 10**13])))
    if held := draw(st.sampled_from([0, 3, -3, 5_000])):
        holding(of, held, draw(st.sampled_from(["90", "100"])))
    for number in range(draw(st.integers(0, 3))):
        waiting = order(
            draw(st.integers(1, 4)),
            client_order_id=f"p{number}",
            direction=draw(st.sampled_from([BUY, SELL])),
            instrument=draw(st.sampled_from([mothers.INSTRUMENT, "BETA.XSIM"])),
        )
        mothers.approve(waiting, of)
    if draw(st.booleans()):
        of.remember(order().fingerprint, mothers.NOW_NS - 10**9, "another")
    for _ in range(draw(st.integers(0, 3))):
        of.count("s", mothers.NOW_NS)
    of.high_water_minor = draw(st.sampled_from([None, 10**8 + 10**6, 2 * 10**8]))
    of.day_equity_minor = draw(st.sampled_from([None, 10**8 + 10**6, 2 * 10**8]))
    of.streaks = {"s": Streak(draw(st.integers(0, 6)))}
    of.openings_ns["s", mothers.INSTRUMENT, BUY] = mothers.times(draw(st.integers(0, 22)))
    return of


@st.composite
def some_order(draw: st.DrawFn) -> Order:
    kind = draw(st.sampled_from([MARKET, LIMIT]))
    strategy_id = draw(st.sampled_from(["", "s"]))
    quantity = draw(st.sampled_from(["1", "10", "0.5", "7", "12345.678", "3e9"]))
    return Order(
        client_order_id=draw(st.sampled_from(["o1", "p0"])),
        account=mothers.ACCOUNT,
        strategy_id=strategy_id,
        instrument=mothers.INSTRUMENT,
        direction=draw(st.sampled_from([BUY, SELL])),
        type=kind,
        quantity_atto=round(float(quantity) * 1000) * ATTO // 1000,
        limit_atto=to_atto("99.5") if kind is LIMIT else None,
        protection_atto=draw(st.sampled_from([None, to_atto("1")])),
        is_reduce_only=draw(st.booleans()),
        trader=strategy_id or "ana",
    )


@st.composite
def some_conditions(draw: st.DrawFn) -> Conditions:
    price = draw(st.sampled_from(PRICES))
    reference = Reference(to_atto(price), mothers.NOW_NS, 10**9)
    limit = draw(st.sampled_from([None, 5 * ATTO]))
    block = st.sampled_from([-1, 0, 1])
    return mothers.conditions(
        limits=draw(some_limits()),
        reference=draw(st.sampled_from([None, reference, reference])),
        instrument=draw(
            st.sampled_from(
                [None, instrument(is_shortable=False), instrument(max_quantity_atto=limit)]
            )
        ),
        mode=draw(st.sampled_from(Mode)),
        is_restricted=False,
        blocks=Blocks(draw(block), draw(block), draw(block), draw(block)),
    )


def named(of: Case) -> Named:
    return Named(of.currency, of.order.instrument, of.order.trader)


def row(of: Case) -> tuple[Sequence[int], Named]:
    return unpack(pack(facts_of(of, decide(of)))), named(of)


def failed(of: Case) -> list[Reason]:
    return [check[0] for check in decide(of).failed]


def under(of: Case, limits: Limits) -> Case:
    """Return the case as it would have been under other limits."""
    is_restricted = of.order.instrument in limits.restricted
    now = of.conditions._replace(limits=limits, is_restricted=is_restricted)
    return Case(of.order, of.account, now)


def latched(of: Case, limits: Limits) -> bool:
    """Return whether a breaker stands, so that other limits leave it to its past."""
    del limits
    return any(block > 0 for block in of.conditions.blocks)


@settings(max_examples=120)
@given(
    st.lists(st.tuples(some_order(), some_account(), some_conditions()), min_size=1, max_size=6),
    some_limits(),
)
def test_a_batch_is_judged_as_each_of_its_orders_is(
    asked: list[tuple[Order, Account, Conditions]], limits: Limits
) -> None:
    made = [Case(*each) for each in asked]
    free = [of for of in made if not latched(of, limits)]
    if not free:
        return
    found = judge(batch_of([row(of) for of in free]), limits, frozenset())
    for of, bits in zip(free, found, strict=True):
        assert codes_in(bits) == failed(under(of, limits))


@settings(max_examples=60)
@given(some_order(), some_account(), some_conditions())
def test_the_limits_in_force_change_nothing(asked: Order, of: Account, now: Conditions) -> None:
    present = under(Case(asked, of, now), now.limits)
    (bits,) = judge(batch_of([row(present)]), now.limits, frozenset())
    assert codes_in(bits) == failed(present)


def test_rows_are_judged_in_batches_of_1_024() -> None:
    rows = [row(case())] * (BATCH_SIZE + 1)
    sizes = [(first, batch.columns.shape[1]) for first, batch in batches(rows)]
    assert sizes == [(0, BATCH_SIZE), (BATCH_SIZE, 1)]


def test_what_does_not_fit_into_64_bits_is_judged_exactly() -> None:
    of = account(transfers_minor=10**25)
    huge = case(order(10**14), of, limits=mothers.limits(order_lots_max=10**15))
    assert pack(facts_of(huge, decide(huge))).startswith(b"[")
    limits = mothers.limits(order_notional_max_atto=10**40, order_lots_max=10**15)
    found = judge(batch_of([row(huge), row(case())]), limits, frozenset())
    assert [codes_in(bits) for bits in found] == [failed(under(huge, limits)), []]


@settings(max_examples=60)
@given(
    st.integers(1, 10**6),
    st.sampled_from(PRICES),
    st.sampled_from([0, 20, 77]),
    st.sampled_from([0, 1, 100, 33_333]),
    st.sampled_from([-1, 0, 1]),
)
def test_buying_power_is_judged_to_the_cent(
    thousandths: int, price: str, fee_bps: int, margin_bps: int, spare: int
) -> None:
    limits = mothers.limits(fee_bps_max=fee_bps, market_order_margin_bps=margin_bps)
    reference = Reference(to_atto(price), mothers.NOW_NS, 10**9)
    asked = order(quantity_atto=thousandths * ATTO // 1000)
    held = case(asked, account(), limits=limits, reference=reference).priced
    assert held is not None
    of = case(asked, account(transfers_minor=held.hold_minor + spare), reference=reference)
    (bits,) = judge(batch_of([row(of)]), limits, frozenset())
    assert (Reason.BUYING_POWER in codes_in(bits)) == (spare < 0)
    assert codes_in(bits) == failed(under(of, limits))
