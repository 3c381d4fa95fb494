"""What speaks against a trade of the tunnel, each clause, both sides, and in which order."""

from typing import Any

import pytest

from services.strategy.terms import Direction
from services.strategy.tests.vegas_mothers import DOWN, EMAS, UP, before, view
from services.strategy.vegas.filters import FILTERS, labels_of, reasons_against
from services.strategy.vegas.view import View

LONG, SHORT = Direction.LONG, Direction.SHORT
Case = tuple[View, bool]

EVENT = before(94.9, high=100, low=94)
EVENTS: dict[str, Case] = {
    "event": (view("95 95 90 91", rsi=29.9, was=EVENT), True),
    "not exhausted": (view("95 95 90 91", rsi=30.0, was=EVENT), False),
    "turns": (view("90 95 90 91", rsi=29.9, was=EVENT), False),
    "no fall before": (view("95 95 90 91", rsi=29.9, was=before(95.0, high=100, low=94)), False),
    "nothing before": (view("95 95 90 91", rsi=29.9), False),
}


@pytest.mark.parametrize("case", EVENTS)
def test_exhaustion_by_an_event(case: str) -> None:
    seen, speaks = EVENTS[case]
    assert FILTERS["RSI_EXTREME_EVENT"](seen, LONG) is speaks


def test_exhaustion_by_an_event_above_is_mirrored() -> None:
    risen = before(105.1, high=106, low=100)
    assert FILTERS["RSI_EXTREME_EVENT"](view("106 111 106 110", rsi=70.1, was=risen), SHORT)
    assert not FILTERS["RSI_EXTREME_EVENT"](view("106 111 106 110", rsi=70.0, was=risen), SHORT)
    assert not FILTERS["RSI_EXTREME_EVENT"](view("106 111 106 110", rsi=70.1, was=risen), LONG)


def averages(ema2: float, ema3: float, ema4: float) -> tuple[float, ...]:
    return (ema2, ema2, ema3, ema4, ema4, ema4, ema4)


def test_averages_far_apart_against_the_trade() -> None:
    far_down, close = averages(94.9, 97, 100), "97 98 96 97.1"
    assert FILTERS["EMA_DISTANCE"](view(close, emas=far_down), LONG)
    assert not FILTERS["EMA_DISTANCE"](view("97 98 96 97", emas=far_down), LONG)
    assert not FILTERS["EMA_DISTANCE"](view(close, emas=averages(95, 97, 100)), LONG)
    assert not FILTERS["EMA_DISTANCE"](view("102 103 101 102", emas=averages(94.9, 101, 100)), LONG)
    assert not FILTERS["EMA_DISTANCE"](view(close, emas=far_down), SHORT)
    far_up = averages(105.1, 103, 100)
    assert FILTERS["EMA_DISTANCE"](view("103 104 102 102.9", emas=far_up), SHORT)
    assert not FILTERS["EMA_DISTANCE"](view("103 104 102 103", emas=far_up), SHORT)


def test_distances_of_the_averages_are_labels_and_decide_nothing() -> None:
    assert labels_of(view(emas=averages(98, 99.5, 100))) == ("RANGING",)
    assert labels_of(view(emas=averages(99, 99.5, 100))) == ("RANGING", "TANGLED")
    assert labels_of(view(emas=averages(97.9, 99.5, 100))) == ()
    assert reasons_against(view(emas=averages(99, 99.5, 100)), LONG, tuple(FILTERS)[:5]) == ()


TUNNEL_AT_100 = (110.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0)
CHASES: dict[str, tuple[View, Direction, bool]] = {
    "far": (view("118 119 117 118.01", emas=TUNNEL_AT_100), LONG, True),
    "not far": (view("118 119 117 118", emas=TUNNEL_AT_100), LONG, False),
    "touched": (view("118 119 105 118.01", emas=TUNNEL_AT_100), LONG, False),
    "not touched": (view("118 119 105.01 118.01", emas=TUNNEL_AT_100), LONG, True),
    "with the trade": (view("118 120 118 119.01", emas=TUNNEL_AT_100), LONG, False),
    "half a body": (view("118 120 118 119", emas=TUNNEL_AT_100), LONG, True),
    "against the trade": (view("120 120 118 118.5", emas=TUNNEL_AT_100), LONG, True),
    "engulfs": (view("118 119 117 118.01", emas=TUNNEL_AT_100, bull=1), LONG, False),
    "engulfs the other way": (view("118 119 117 118.01", emas=TUNNEL_AT_100, bear=1), LONG, True),
    "short, far": (view("90 91 89 89.99", emas=TUNNEL_AT_100), SHORT, True),
    "short, not far": (view("90 91 89 90", emas=TUNNEL_AT_100), SHORT, False),
    "short, touched": (view("90 95 89 89.99", emas=TUNNEL_AT_100), SHORT, False),
    "short, with the trade": (view("91 91 89 89.9", emas=TUNNEL_AT_100), SHORT, False),
    "short, engulfs": (view("90 91 89 89.99", emas=TUNNEL_AT_100, bear=1), SHORT, False),
}


@pytest.mark.parametrize("case", CHASES)
def test_a_close_far_from_the_tunnel_needs_confirmation(case: str) -> None:
    seen, side, speaks = CHASES[case]
    assert FILTERS["CHASE_UNCONFIRMED"](seen, side) is speaks


# The bar goes from 100 to 102 through two averages, with a body of four fifths.
THROUGH = (101.5, 101.0, 99.0, 98.0, 97.0, 96.0, 95.0)
EXTREMES: dict[str, tuple[View, bool]] = {
    "with candle and order": (view("100 102.4 99.9 102", emas=THROUGH), False),
    "against the order": (
        view("100 102.4 99.9 102", emas=(101.0, 101.5, *THROUGH[2:])),
        True,
    ),
    "the fourth out of order": (
        view("100 102.4 99.9 102", emas=(101.5, 101.0, 99.0, 99.2, 97.0, 96.0, 95.0)),
        True,
    ),
    "against the candle": (view("102 102.4 99.9 100", emas=THROUGH), True),
    "one average": (view("100 102.4 99.9 102", emas=(103.0, 101.0, 102.5, *THROUGH[3:])), False),
    "small body": (view("102 103 99.9 100", emas=THROUGH), False),
    "body of just enough": (view("102 102.98 99.9 99.998", emas=THROUGH), True),
    "small move": (view("101.7 101.8 100.7 100.8", emas=THROUGH), False),
}


@pytest.mark.parametrize("case", EXTREMES)
def test_a_candle_through_the_averages_goes_with_itself_and_their_order(case: str) -> None:
    seen, speaks = EXTREMES[case]
    assert FILTERS["EXTREME_CANDLE"](seen, LONG) is speaks


@pytest.mark.parametrize(
    ("histogram", "change", "side", "speaks"),
    [
        (-0.1, -0.1, LONG, True),
        (-0.1, 0.1, LONG, False),
        (0.1, -0.1, LONG, False),
        (-0.1, 0.0, LONG, False),
        (0.1, 0.1, SHORT, True),
        (0.1, -0.1, SHORT, False),
    ],
)
def test_momentum_that_grows_against_the_trade(
    histogram: float, change: float, side: Direction, *, speaks: bool
) -> None:
    """The change is that from the bar before: compared with itself it never grew."""
    seen = view(histogram=histogram, histogram_change=change)
    assert FILTERS["MACD_FALLING_KNIFE"](seen, side) is speaks


def test_a_retracement_needs_zone_volume_and_trend() -> None:
    speaks = FILTERS["FIB_AGAINST_TREND"]
    zone: dict[str, Any] = {"zone_low": 99.0, "zone_high": 101.0}
    assert not speaks(view(emas=UP, volume_ratio=1.5, **zone), LONG)
    assert not speaks(view(emas=DOWN, volume_ratio=1.5, **zone), SHORT)
    assert speaks(view(emas=UP, volume_ratio=1.49, **zone), LONG)
    assert speaks(view(emas=EMAS, volume_ratio=1.5, **zone), LONG)
    assert speaks(view(emas=UP, volume_ratio=1.5, zone_low=100.2, zone_high=101.0), LONG)
    assert speaks(view(emas=UP, volume_ratio=1.5), LONG)


def test_all_that_speak_are_listed_and_the_first_is_primary() -> None:
    seen = view("95 95 90 91", rsi=20, was=EVENT, emas=averages(80, 85, 90), histogram=-1)
    assert reasons_against(seen, LONG, tuple(FILTERS)) == (
        "RSI_EXTREME_EVENT",
        "EMA_DISTANCE",
        "FIB_AGAINST_TREND",
    )
    assert list(FILTERS) == [
        "RSI_EXTREME_EVENT",
        "EMA_DISTANCE",
        "CHASE_UNCONFIRMED",
        "EXTREME_CANDLE",
        "MACD_FALLING_KNIFE",
        "FIB_AGAINST_TREND",
    ]
