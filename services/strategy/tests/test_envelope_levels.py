"""NWE: stop, targets, and the scale of its envelope."""

from math import tanh

import pytest

from services.strategy.envelope.levels import stop_multiple
from services.strategy.kinds import KindState
from services.strategy.terms import (
    Outcome,
)
from services.strategy.tests.envelope_mothers import VALUES, decided, setting, signal
from services.strategy.tests.mothers import atto, bar


def test_the_stop_lies_half_an_average_true_range_behind_the_close() -> None:
    proposal = signal()
    assert (proposal.stop_atto, proposal.stop_source) == (atto(98.7), "ATR")
    assert signal(within=setting(stop_atr=1.0)).stop_atto == atto(98.2)


def test_the_dynamic_stop_grows_with_the_movement_of_late() -> None:
    on = setting(dynamic_stop="ON").config.parameters
    assert stop_multiple(on, VALUES) == pytest.approx(0.5 * (1 + tanh(1.0) * 0.5))
    assert stop_multiple(on, VALUES | {"parkinson48": 0.01}) == 0.5
    assert stop_multiple(on, VALUES | {"parkinson288": 0.0}) == 0.5


def test_the_dynamic_stop_keeps_within_its_bounds() -> None:
    low = setting(dynamic_stop="ON", stop_atr=0.1).config.parameters
    high = setting(dynamic_stop="ON", stop_atr=2.5).config.parameters
    assert stop_multiple(low, VALUES) == 0.3
    assert stop_multiple(high, VALUES) == 3.0


def test_the_tiers_lie_one_and_a_half_two_and_five_stop_distances_away() -> None:
    found = [(one.price_atto, one.source, one.share) for one in signal().targets]
    assert found == [
        (atto(99.95), "TIER", 0.0),
        (atto(100.2), "TIER", 0.0),
        (atto(101.7), "TIER", 1.0),
    ]


def test_a_single_target_can_be_had() -> None:
    """[FIX] Its branch could not be reached."""
    single = setting(targets="SINGLE", target_ratio=3.0)
    assert [(one.price_atto, one.share) for one in signal(within=single).targets] == [
        (atto(100.7), 1.0)
    ]
    assert signal(within=setting(targets="NONE")).targets == ()


def ranges(width: float, count: int = 20) -> KindState:
    """A state that has seen so many bars of one width."""
    return {f"range{age}": width for age in range(count)}


def test_the_envelope_can_be_scaled_by_the_range_of_late() -> None:
    """An average true range of twice the mean range: half-width 1.5, the band at 98.5."""
    on = setting(scaled_envelope="ON")
    one = bar(1, 98.6, open_=98.55, high=98.9, low=98.4)
    assert decided(one, on, ranges(0.5)).outcome is Outcome.SIGNALLED
    assert decided(one).outcome is Outcome.NOTHING


def test_the_scale_keeps_within_its_bounds() -> None:
    on = setting(scaled_envelope="ON")
    wide = bar(1, 98.1, open_=98.05, high=98.45, low=97.9)  # The band lies at 98 at most.
    assert decided(wide, on, ranges(0.01)).outcome is Outcome.SIGNALLED
    narrow = bar(1, 99.5, high=99.6, low=99.3)  # And at 99.4 at least.
    assert decided(narrow, on, ranges(90.0)).outcome is Outcome.SIGNALLED


def test_a_scaled_envelope_waits_for_twenty_ranges() -> None:
    on = setting(scaled_envelope="ON")
    assert decided(state=ranges(1.0, 18), within=on).outcome is Outcome.NOTHING
    assert decided(state=ranges(1.0, 19), within=on).outcome is Outcome.SIGNALLED
