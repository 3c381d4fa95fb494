"""Sizes of children: what is missing, within every cap, and the last slice sends the rest."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.algorithms.ledger import Ledger
from services.execution.algorithms.sizing import (
    participation_lots,
    shown_lots,
    slice_lots,
    volume_cap_lots,
)
from services.execution.algorithms.terms import Kind
from services.execution.algorithms.tests.mothers import terms


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """Return any way in which a parent's quantity may be split."""
    quantity = draw(st.integers(1, 10_000))
    filled = draw(st.integers(0, quantity))
    working = draw(st.integers(0, quantity - filled))
    doubtful = draw(st.integers(0, quantity - filled - working))
    return Ledger(quantity, filled, working, doubtful)


@given(ledger=ledgers(), target=st.integers(0, 10_000), least=st.integers(1, 50))
def test_a_slice_never_sends_beyond_its_target(ledger: Ledger, target: int, least: int) -> None:
    target = min(target, ledger.quantity_lots)
    made = terms(quantity_lots=ledger.quantity_lots, min_child_lots=least)
    sent = slice_lots(made, ledger, target, is_final=False)
    assert sent == 0 or sent >= least
    assert sent + ledger.committed_lots <= max(target, ledger.committed_lots)


@given(ledger=ledgers(), least=st.integers(1, 50))
def test_the_final_slice_sends_whatever_remains(ledger: Ledger, least: int) -> None:
    made = terms(quantity_lots=ledger.quantity_lots, min_child_lots=least)
    sent = slice_lots(made, ledger, ledger.quantity_lots, is_final=True)
    assert sent == ledger.unscheduled_lots


@given(ledger=ledgers(), most=st.integers(1, 500))
def test_no_child_is_larger_than_the_largest_allowed(ledger: Ledger, most: int) -> None:
    made = terms(quantity_lots=ledger.quantity_lots, max_child_lots=most)
    target = ledger.quantity_lots
    assert slice_lots(made, ledger, target, is_final=True) <= most


def test_too_little_is_carried_to_the_next_slice() -> None:
    made = terms(min_child_lots=8)
    assert slice_lots(made, Ledger(100, filled_lots=5), 10, is_final=False) == 0
    assert slice_lots(made, Ledger(100, filled_lots=5), 20, is_final=False) == 15


def test_what_is_in_doubt_counts_as_open() -> None:
    doubtful = Ledger(100, filled_lots=5, doubtful_lots=5)
    assert slice_lots(terms(), doubtful, 20, is_final=False) == 10


@given(
    ledger=ledgers(),
    ppm=st.integers(1, 300_000),
    others=st.integers(0, 10**7),
    least=st.integers(1, 50),
)
def test_participation_never_exceeds_its_cap(
    ledger: Ledger, ppm: int, others: int, least: int
) -> None:
    made = terms(
        Kind.POV,
        quantity_lots=ledger.quantity_lots,
        participation_ppm=ppm,
        min_child_lots=least,
    )
    for printed in (ledger.filled_lots, ledger.committed_lots):  # Own trades the market has told.
        sent = participation_lots(made, ledger, others + printed)
        if sent:
            after = ledger.committed_lots + sent
            assert after * (1_000_000 - ppm) <= ppm * others
            assert after <= ledger.quantity_lots


def test_participation_sends_its_share_of_what_others_traded() -> None:
    made = terms(Kind.POV)
    assert participation_lots(made, Ledger(100), 90) == 10
    assert participation_lots(made, Ledger(100, filled_lots=10), 100) == 0
    assert participation_lots(made, Ledger(100, filled_lots=10), 190) == 10
    assert volume_cap_lots(made, 8) == 0


def test_participation_below_the_smallest_child_waits_but_for_the_rest() -> None:
    made = terms(Kind.POV, min_child_lots=5)
    assert participation_lots(made, Ledger(100), 36) == 0
    assert participation_lots(made, Ledger(100, filled_lots=98), 10_000) == 2


@given(ledger=ledgers(), display=st.integers(1, 1_000), seed=st.integers(0, 1_000))
def test_what_is_shown_is_the_display_within_a_fifth_or_the_rest(
    ledger: Ledger, display: int, seed: int
) -> None:
    made = terms(Kind.ICEBERG, quantity_lots=ledger.quantity_lots, display_lots=display)
    shown = shown_lots(made, ledger, random.Random(seed))
    if shown == ledger.unscheduled_lots:
        return
    assert round(0.8 * display) <= shown <= round(1.2 * display)


@pytest.mark.parametrize("parts", [(10, 11, 0), (10, -1, 0), (10, 5, 6)])
def test_a_ledger_that_does_not_add_up_is_a_bug(parts: tuple[int, int, int]) -> None:
    quantity, filled, working = parts
    with pytest.raises(AssertionError, match="not conserved"):
        Ledger(quantity, filled, working)
