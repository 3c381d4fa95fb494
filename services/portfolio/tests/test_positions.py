from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.portfolio.positions import FLAT, Fill, book, replay
from services.portfolio.tests import mothers


def fills(quantities_and_cents: list[tuple[int, int]]) -> list[Fill]:
    return [
        mothers.fill(q, f"{cents / 100:.2f}", exec_id=f"x{i}", order_id=f"o{i}", fee_minor=i % 3)
        for i, (q, cents) in enumerate(quantities_and_cents)
        if q
    ]


SOME_FILLS = st.lists(st.tuples(st.integers(-30, 30), st.integers(1, 20_000)), max_size=25).map(
    fills
)


def test_buying_adds_the_notional_to_the_cost() -> None:
    held = replay(fills([(10, 10_000), (5, 11_000)]))
    assert (held.quantity_atto, held.cost_minor) == (15 * ATTO, 155_000)


def test_selling_a_part_takes_its_share_of_the_cost_out() -> None:
    held = replay(fills([(3, 10_001), (-1, 12_000)]))
    assert held.cost_minor == 30_003 - 10_001
    assert held.realised_minor == 12_000 - 10_001


def test_a_share_of_the_cost_is_rounded_half_to_even() -> None:
    bought = mothers.fill(2, "1", notional_minor=5)
    held = book(replay([bought]), mothers.fill(-1, "1", exec_id="x2", notional_minor=5))
    assert held.cost_minor == 5 - 2


def test_closing_everything_leaves_no_cost_behind() -> None:
    held = replay(fills([(3, 3_333), (4, 3_335), (-2, 3_400), (-5, 3_300)]))
    assert (held.quantity_atto, held.cost_minor, held.entries) == (0, 0, ())
    assert held.realised_minor == 2 * 3_400 + 5 * 3_300 - 3 * 3_333 - 4 * 3_335


def test_a_short_has_negative_cost_and_gains_when_bought_back_lower() -> None:
    short = replay(fills([(-10, 5_000)]))
    assert short.cost_minor == -50_000
    assert book(short, mothers.fill(10, "40.00", exec_id="b")).realised_minor == 10_000


def test_a_sell_through_zero_closes_then_opens_at_the_new_price() -> None:
    flipped = replay(fills([(10, 5_000), (-30, 6_000)]))
    assert flipped.quantity_atto == -20 * ATTO
    assert flipped.realised_minor == 10_000
    assert flipped.cost_minor == -20 * 6_000
    assert flipped.entries == ("o1",)


def test_a_flat_trade_costs_its_fees() -> None:
    done = replay([mothers.fill(5, "10"), mothers.fill(-5, "10", exec_id="x2")])
    assert (done.realised_minor, done.fees_minor, done.cash_minor) == (0, 200, -200)


def test_two_partial_fills_of_one_order_are_one_entry() -> None:
    parts = [mothers.fill(1, "10", exec_id=f"x{i}", order_id="o1") for i in range(3)]
    assert replay([*parts, mothers.fill(1, "10", exec_id="x9", order_id="o2")]).entries == (
        "o1",
        "o2",
    )


@given(SOME_FILLS)
def test_cash_is_what_was_sold_less_what_was_bought_less_fees(history: list[Fill]) -> None:
    paid = sum(
        (-f.notional_minor if f.quantity_atto > 0 else f.notional_minor) - f.fee_minor
        for f in history
    )
    held = replay(history)
    assert held.cash_minor == paid
    assert held.quantity_atto == sum(f.quantity_atto for f in history)
    assert held.quantity_atto != 0 or held.cost_minor == 0
    assert held.cost_minor * held.quantity_atto >= 0


@given(SOME_FILLS)
def test_mirrored_fills_make_the_mirrored_position(history: list[Fill]) -> None:
    mirrored = [
        mothers.fill(
            -f.quantity_atto // ATTO,
            "1",
            notional_minor=f.notional_minor,
            fee_minor=f.fee_minor,
            exec_id=f.exec_id,
            order_id=f.order_id,
        )
        for f in history
    ]
    ours, theirs = replay(history), replay(mirrored)
    assert (ours.quantity_atto, ours.cost_minor) == (-theirs.quantity_atto, -theirs.cost_minor)
    assert ours.realised_minor == -theirs.realised_minor


def test_nothing_traded_is_flat() -> None:
    assert replay([]) == FLAT
