"""The times of a user's file: read as declared, never guessed (rule D10)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.marketdata.candles import Source
from services.marketdata.cell_times import TimeFormat, TimeRules
from services.marketdata.cells import Cells
from services.marketdata.grid import grid_of
from services.marketdata.imports import CandleImport, Layout
from services.marketdata.refusals import MarketDataRefused
from services.marketdata.timeframes import Timeframe

MINUTES = grid_of("24/7", Timeframe.MINUTE_1)
RFC3339 = TimeRules(TimeFormat.RFC3339, None, MINUTES)


def times_of(rules: TimeRules, *texts: str, timeframe: Timeframe = Timeframe.MINUTE_1) -> list[str]:
    """Return when the candles open, or what is wrong with the lines."""
    return times_in(rules, Cells(texts), timeframe)


def times_in(
    rules: TimeRules, cells: Cells, timeframe: Timeframe = Timeframe.MINUTE_1
) -> list[str]:
    work = CandleImport(
        Layout(instrument="NEW.XSIM", timeframe=timeframe, source=Source(), times=rules)
    )
    closes = Cells(["1"] * len(cells))
    try:
        work.add(np.arange(2, 2 + len(cells)), {"time": cells, "close": closes})
        opens_ns = work.finish().series.opens_ns.tolist()
    except MarketDataRefused as refusal:
        return [f"{row.line} {row.fault}" for row in refusal.rejected]
    return [str(np.datetime64(open_ns, "ns"))[:16] for open_ns in opens_ns]


BERLIN = TimeRules(TimeFormat.RFC3339, ZoneInfo("Europe/Berlin"), MINUTES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-02T12:00:00Z", ["2024-01-02T12:00"]),
        ("2024-01-02t12:00:00z", ["2024-01-02T12:00"]),
        ("2024-01-02 12:00:00.000+01:00", ["2024-01-02T11:00"]),
        ("2024-01-02T12:00:00", ["2 TIME_WITHOUT_ZONE"]),
        ("2024-02-30T12:00:00Z", ["2 TIME_MALFORMED"]),
        ("2024-01-02", ["2 TIME_MALFORMED"]),
        ("1704196800", ["2 TIME_MALFORMED"]),
        ("", ["2 VALUE_MISSING"]),
    ],
)
def test_times_are_read_as_declared_and_never_guessed(text: str, expected: list[str]) -> None:
    assert times_of(RFC3339, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-02T12:00:00", ["2024-01-02T11:00"]),
        ("2024-07-02T12:00:00", ["2024-07-02T10:00"]),
        ("2024-07-02T12:00:00Z", ["2024-07-02T12:00"]),
        ("2024-03-31T02:30:00", ["2 TIME_AMBIGUOUS"]),  # Never shown: clocks went forward.
        ("2024-10-27T02:30:00", ["2 TIME_AMBIGUOUS"]),  # Shown twice: clocks went back.
        ("2024-10-27T02:30:00+02:00", ["2024-10-27T00:30"]),
    ],
)
def test_a_time_without_offset_is_of_the_stated_zone(text: str, expected: list[str]) -> None:
    assert times_of(BERLIN, text) == expected


@given(st.lists(st.integers(0, 60 * 24 * 365 * 30), min_size=1, max_size=20, unique=True))
def test_local_times_together_are_read_as_each_alone(minutes: list[int]) -> None:
    texts = [
        datetime.fromtimestamp(minute * 60, UTC).replace(tzinfo=None).isoformat()
        for minute in sorted(minutes)
    ]
    each = [times_of(BERLIN, text) for text in texts]
    together = times_of(BERLIN, *texts)
    if all("AMBIGUOUS" not in str(item) for item in each):
        assert sorted(time for item in each for time in item) == together


@pytest.mark.parametrize(
    ("unit", "number"),
    [("S", 60), ("MS", 60_000), ("US", 60_000_000), ("NS", 60_000_000_000)],
)
def test_epochs_count_in_the_declared_unit(unit: str, number: int) -> None:
    rules = TimeRules(TimeFormat[f"EPOCH_{unit}"], None, MINUTES)
    assert times_of(rules, str(number)) == ["1970-01-01T00:01"]
    tenths = Cells((), np.array([number * 10]), -1)
    assert times_in(rules, tenths) == ["1970-01-01T00:01"]
    assert times_of(rules, f"{number}.0", "9" * 19) == ["2 TIME_MALFORMED", "3 TIME_MALFORMED"]


def test_a_date_names_a_session() -> None:
    daily = TimeRules(TimeFormat.SESSION_DATE, None, grid_of("XNYS", Timeframe.DAY_1))
    texts = ("2024-01-02", "2024-01-03 00:00:00", "2024-07-05T00:00:00-04:00")
    assert times_of(daily, *texts, timeframe=Timeframe.DAY_1) == [
        "2024-01-02T14:30",
        "2024-01-03T14:30",
        "2024-07-05T13:30",
    ]
    bad = ("2024-01-01", "2024-01-06", "2024-01-03 09:30:00", "2024-13-01")
    assert times_of(daily, *bad, timeframe=Timeframe.DAY_1) == [
        "2 OFF_GRID",
        "3 OFF_GRID",
        "4 TIME_MALFORMED",
        "5 TIME_MALFORMED",
    ]
