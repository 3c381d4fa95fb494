from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.risk.holdings import NOTHING, Fill, hold, replay
from services.risk.tests import mothers

FILLS = st.lists(st.integers(-20, 20).filter(bool), max_size=20).map(
    lambda quantities: [
        mothers.fill(q, "10", exec_id=f"x{i}", order_id=f"o{i}") for i, q in enumerate(quantities)
    ]
)


def test_a_part_of_an_order_adds_no_entry() -> None:
    parts = [mothers.fill(1, "10", exec_id=f"x{i}") for i in range(3)]
    assert replay(parts).entries == ("entry-1",)


def test_a_reducing_fill_adds_no_entry() -> None:
    held = replay([mothers.fill(10, "10"), mothers.fill(-4, "10", order_id="exit")])
    assert held.entries == ("entry-1",)


def test_a_flip_starts_a_new_entry() -> None:
    assert replay([mothers.fill(10, "10"), mothers.fill(-11, "10", order_id="o2")]).entries == (
        "o2",
    )


def test_closing_forgets_the_entries() -> None:
    assert replay([mothers.fill(10, "10"), mothers.fill(-10, "10")]).entries == ()


@given(FILLS)
def test_quantity_and_cash_are_the_sums_of_the_fills(fills: list[Fill]) -> None:
    held = replay(fills)
    assert held.quantity_atto == sum(f.quantity_atto for f in fills)
    assert held.flow_minor == sum(
        (-f.notional_minor if f.quantity_atto > 0 else f.notional_minor) - f.fee_minor
        for f in fills
    )
    assert bool(held.entries) == bool(held.quantity_atto)


def test_flat_is_nothing_but_its_cash() -> None:
    held = hold(NOTHING, mothers.fill(1, "10"))
    assert held.quantity_atto == ATTO
    assert hold(held, mothers.fill(-1, "10")).flow_minor == -200
