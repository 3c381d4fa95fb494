"""A user's rows become candles, or are named (rule D10)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.candles import Adjustment, Candle, CandleKind, Source
from services.marketdata.cell_times import TimeFormat, TimeRules
from services.marketdata.cells import Cells
from services.marketdata.grid import grid_of
from services.marketdata.imports import CandleImport, Imported, Layout
from services.marketdata.refusals import MarketDataRefused
from services.marketdata.timeframes import NS_PER_MINUTE, Timeframe

SOURCE = Source("import:mine", "me", Adjustment.RAW)
MINUTES = grid_of("24/7", Timeframe.MINUTE_1)
LAYOUT = Layout(
    instrument="NEW.XSIM",
    timeframe=Timeframe.MINUTE_1,
    source=SOURCE,
    times=TimeRules(TimeFormat.RFC3339, None, MINUTES),
)
TIMES = ("2024-01-02T12:00:00Z", "2024-01-02T12:01:00Z", "2024-01-02T12:02:00Z")
PRICES = ("100", "100.5", "101.25")


def take(
    columns: Mapping[str, Sequence[str] | Cells], layout: Layout = LAYOUT, block: int = 1_000
) -> Imported:
    """Import text columns in blocks, the first row in line 2."""
    cells = {n: c if isinstance(c, Cells) else Cells(c) for n, c in columns.items()}
    count = len(next(iter(cells.values())))
    work = CandleImport(layout)
    for start in range(0, count, block):
        rows = slice(start, min(start + block, count))
        part = {
            name: Cells(c.texts[rows], None if c.numbers is None else c.numbers[rows], c.exponent)
            for name, c in cells.items()
        }
        work.add(np.arange(rows.start + 2, rows.stop + 2), part)
    return work.finish()


def refused(columns: Mapping[str, Sequence[str]], layout: Layout = LAYOUT) -> MarketDataRefused:
    with pytest.raises(MarketDataRefused) as caught:
        take(columns, layout)
    return caught.value


def faults(columns: Mapping[str, Sequence[str]], layout: Layout = LAYOUT) -> list[str]:
    return [f"{row.line} {row.fault}" for row in refused(columns, layout).rejected]


AMOUNTS = st.decimals("0.0001", "99999", places=4)


@st.composite
def candles(draw: st.DrawFn) -> list[Candle]:
    """Candles of one kind at different minutes, in any order."""
    minutes = draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=30, unique=True))
    kind = draw(st.sampled_from(list(CandleKind)))
    drawn = []
    for minute in minutes:
        low, opened, close, high = sorted(draw(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)))
        has_range, has_volume = kind is not CandleKind.CLOSE_ONLY, kind is CandleKind.OHLCV
        drawn.append(
            Candle(
                instrument="NEW.XSIM",
                timeframe=Timeframe.MINUTE_1,
                kind=kind,
                open_ns=minute * NS_PER_MINUTE,
                close_ns=(minute + 1) * NS_PER_MINUTE,
                open=opened if has_range else None,
                high=high if has_range else None,
                low=low if has_range else None,
                close=close,
                volume=draw(AMOUNTS) if has_volume else None,
                source=SOURCE,
            )
        )
    return drawn


def written(items: Sequence[Candle]) -> dict[str, list[str]]:
    """Return candles as the text columns of a file."""
    names = {
        CandleKind.OHLCV: ("open", "high", "low", "close", "volume"),
        CandleKind.OHLC: ("open", "high", "low", "close"),
        CandleKind.CLOSE_ONLY: ("close",),
    }[items[0].kind]
    stamps = [datetime.fromtimestamp(c.open_ns // 10**9, UTC) for c in items]
    return {
        "time": [stamp.isoformat().replace("+00:00", "Z") for stamp in stamps],
        **{name: [str(getattr(c, name)) for c in items] for name in names},
    }


@settings(deadline=None)
@given(candles(), st.integers(1, 7))
def test_candles_written_to_a_file_come_back_sorted_whatever_the_blocks(
    items: list[Candle], block: int
) -> None:
    imported = take(written(items), block=block)
    assert list(imported.series.candles()) == sorted(items, key=lambda c: c.open_ns)
    assert (imported.rows, imported.accepted) == (len(items), len(items))


@settings(deadline=None)
@given(candles())
def test_equal_rows_of_one_time_are_merged(items: list[Candle]) -> None:
    twice = {name: [*cells, *cells] for name, cells in written(items).items()}
    imported = take(twice)
    assert (imported.rows, imported.accepted) == (2 * len(items), len(items))


def test_different_rows_of_one_time_are_rejected_and_both_lines_named() -> None:
    refusal = refused({"time": (*TIMES, TIMES[1]), "close": (*PRICES, "99")})
    assert refusal.reason == "LINES_REJECTED"
    (row,) = refusal.rejected
    assert (row.line, row.fault) == (5, "CONFLICT")
    assert "line 3 has other values" in row.text


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("time close", CandleKind.CLOSE_ONLY),
        ("time open high low close", CandleKind.OHLC),
        ("time open high low close volume trades", CandleKind.OHLCV),
    ],
)
def test_the_columns_that_are_there_decide_the_kind(columns: str, kind: CandleKind) -> None:
    table = dict.fromkeys(columns.split(), PRICES) | {"time": TIMES}
    table |= {"trades": ("1", "2", "3")} if "trades" in columns else {}
    assert take(table).series.kind is kind
    assert {candle.kind for candle in take(table).series.candles()} == {kind}


@pytest.mark.parametrize("columns", ["time open close", "time close volume", "time high low close"])
def test_any_other_mix_of_columns_is_refused(columns: str) -> None:
    table = dict.fromkeys(columns.split(), PRICES) | {"time": TIMES}
    assert refused(table).reason == "COLUMNS_AMBIGUOUS"


def test_a_stated_or_required_column_must_be_there() -> None:
    assert refused({"time": TIMES}).reason == "COLUMN_MISSING"
    mapped = replace(LAYOUT, names={"close": "Adj Close"})
    refusal = refused({"time": TIMES, "close": PRICES}, mapped)
    assert "column 'Adj Close' for close must be in the file" in refusal.message
    assert take({"time": TIMES, "Adj Close": PRICES}, mapped).accepted == 3


@pytest.mark.parametrize(
    "text",
    ["", "nan", "NaN", "inf", "1e5", "1,5", " 1", "0x1", "1_0", "abc", "1" * 19, "--1", ".", "١٢"],
)
def test_a_number_is_plain_decimal_digits_and_nothing_else(text: str) -> None:
    expected = "VALUE_MISSING" if text == "" else "NUMBER_MALFORMED"
    table = {"time": TIMES, "close": ("100", text, "101")}
    assert faults(table) == [f"3 {expected}"]


@given(st.integers(1, 10**17), st.integers(0, 17))
def test_up_to_eighteen_digits_are_read_exactly(digits: int, places: int) -> None:
    price = Decimal(digits).scaleb(-places)
    table = {"time": TIMES[:1], "close": (f"{price:f}",)}
    assert take(table).series.candle(0).close == price


def test_a_decimal_comma_is_one_only_if_declared() -> None:
    table = {"time": TIMES, "close": ("1,5", "2", "2,75")}
    closes = take(table, replace(LAYOUT, is_decimal_comma=True)).series.columns["close"]
    assert [closes.at(row) for row in range(3)] == [Decimal("1.5"), 2, Decimal("2.75")]
    assert faults(table) == ["2 NUMBER_MALFORMED", "4 NUMBER_MALFORMED"]


def test_rows_that_break_a_rule_of_candles_are_named_with_it() -> None:
    known = replace(LAYOUT, tick_size=Decimal("0.05"))
    times = [f"2024-01-02T12:{minute:02d}:00Z" for minute in range(30)]
    table = {name: ["100"] * 30 for name in ("open", "high", "low", "close", "volume", "trades")}
    table["time"] = times
    table["high"][1] = "99"
    table["low"][2] = "0"
    table["close"][3] = "-1"
    table["volume"][4] = "-0.5"
    table["open"][5] = table["high"][5] = "100.01"
    table["time"][6] = "2024-01-02T12:06:30Z"
    table["trades"][7] = "1.5"
    assert faults(table, known) == [
        "3 OHLC_INCONSISTENT",
        "4 PRICE_NOT_POSITIVE",
        "5 PRICE_NOT_POSITIVE",
        "6 VOLUME_NEGATIVE",
        "7 PRICE_OFF_TICK",
        "8 OFF_GRID",
        "9 VOLUME_NEGATIVE",
    ]


def test_an_adjusted_price_need_not_lie_on_the_tick() -> None:
    source = replace(SOURCE, adjustment=Adjustment.SPLIT)
    layout = replace(LAYOUT, tick_size=Decimal("0.05"), source=source)
    assert take({"time": TIMES, "close": ("1.01", "2", "3")}, layout).accepted == 3


@pytest.mark.parametrize("tick", ["0.25", "0.0001", "100"])
def test_ticks_coarser_and_finer_than_the_file_are_judged(tick: str) -> None:
    layout = replace(LAYOUT, tick_size=Decimal(tick))
    table = {"time": TIMES, "close": ("100", "200", "300.125")}
    expected = ["4 PRICE_OFF_TICK"] if tick != "0.0001" else []
    assert (faults(table, layout) if expected else []) == expected


def test_a_few_bad_lines_may_be_left_out_if_the_user_says_so() -> None:
    times = [f"2024-01-02T12:{minute:02d}:00Z" for minute in range(20)]
    table = {"time": times, "close": ["100"] * 18 + ["-1", "x"]}
    imported = take(table, replace(LAYOUT, is_partial_allowed=True))
    assert (imported.rows, imported.accepted) == (20, 18)
    assert [row.line for row in imported.rejected] == [20, 21]
    assert set(imported.series.columns["close"].values.tolist()) == {100}
    assert refused(table).reason == "LINES_REJECTED"


def test_too_many_bad_lines_stop_an_import_early_with_the_first_hundred() -> None:
    work = CandleImport(replace(LAYOUT, is_partial_allowed=True))
    cells = {"time": Cells(["x"] * 1_000), "close": Cells(["1"] * 1_000)}
    with pytest.raises(MarketDataRefused) as caught:
        work.add(np.arange(1_000), cells)
    assert caught.value.reason == "TOO_MANY_REJECTED"
    assert "1000 of the first 1000 lines" in caught.value.message
    assert [row.line for row in caught.value.rejected] == list(range(100))


def test_blocks_must_have_the_same_columns_with_a_cell_for_each_line() -> None:
    work = CandleImport(LAYOUT)
    work.add(np.array([2]), {"time": Cells(TIMES[:1]), "close": Cells(PRICES[:1])})
    for columns in (
        {"time": Cells(TIMES[1:2])},
        {"time": Cells(TIMES[1:2]), "close": Cells(PRICES)},
    ):
        with pytest.raises(MarketDataRefused) as caught:
            work.add(np.array([3]), columns)
        assert caught.value.reason == "COLUMNS_UNEVEN"


def test_numbers_too_wide_for_one_column_are_refused() -> None:
    table = {"time": TIMES[:2], "close": ("123456789012345678", "0.0000001")}
    with pytest.raises(MarketDataRefused) as caught:
        take(table, block=1)
    assert caught.value.reason == "NUMBERS_TOO_WIDE"


def test_an_import_without_rows_is_refused() -> None:
    with pytest.raises(MarketDataRefused) as caught:
        CandleImport(LAYOUT).finish()
    assert caught.value.reason == "NO_ROWS"
