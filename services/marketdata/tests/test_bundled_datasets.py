"""The facts that are stated about the bundled data (rule D7), row by row."""

import csv
import gzip
import os
import subprocess
import sys
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from services.marketdata import datasets
from services.marketdata.calendars import sessions_of
from services.marketdata.candles import Adjustment, CandleKind, Fault, rejection_of
from services.marketdata.datasets import BUNDLED, DatasetDamaged, read_series
from services.marketdata.grid import grid_of
from services.marketdata.instruments import CATALOGUE
from services.marketdata.timeframes import NS_PER_DAY, Timeframe

NAMES = BUNDLED["sp500-20-close"].instruments
DAILY = grid_of("XNYS", Timeframe.DAY_1)
FOREVER_NS = 2**62


def source_rows(package: str, path: str) -> list[dict[str, str]]:
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    with gzip.open(Path(spec.submodule_search_locations[0]) / path, "rt") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("instrument", NAMES)
def test_twenty_names_have_8313_closes_with_three_decimals(instrument: str) -> None:
    series = read_series("sp500-20-close", instrument)
    rows = source_rows("skfolio", "datasets/data/sp500_dataset.csv.gz")
    symbol = instrument.removesuffix(".XSIM")
    assert len(rows) == len(series) == 8_313
    candles = list(series.candles())
    assert [c.close for c in candles] == [Decimal(row[symbol]) for row in rows]
    for candle in candles:
        assert candle.kind is CandleKind.CLOSE_ONLY
        assert candle.source.adjustment is Adjustment.TOTAL_RETURN
        assert candle.close >= Decimal("0.098")
        assert candle.close % CATALOGUE[instrument].tick_size == 0
        assert rejection_of(candle, CATALOGUE[instrument], DAILY, FOREVER_NS) is None


def test_the_smallest_close_is_98_thousandths() -> None:
    closes = [read_series("sp500-20-close", name).columns["close"].values.min() for name in NAMES]
    assert min(closes) == 98


@pytest.mark.parametrize("name", ["sp500-20-close", "sp500-index", "nasdaq-index"])
def test_a_dataset_is_exactly_the_sessions_of_its_span(name: str) -> None:
    dataset = BUNDLED[name]
    series = read_series(name, dataset.instruments[0])
    sessions = sessions_of("XNYS")
    first = int(np.searchsorted(sessions.opens_ns, series.opens_ns[0]))
    span = slice(first, first + dataset.row_count)
    np.testing.assert_array_equal(series.opens_ns, sessions.opens_ns[span])
    np.testing.assert_array_equal(series.closes_ns, sessions.closes_ns[span])
    assert dataset.first_open_ns == series.opens_ns[0]
    assert dataset.last_close_ns == series.closes_ns[-1]


@pytest.mark.parametrize(
    ("name", "file"),
    [("sp500-index", "sp500"), ("nasdaq-index", "nasdaq")],
    ids=["sp500", "nasdaq"],
)
def test_an_index_and_its_proxy_have_5031_valid_candles_rounded_to_cents(
    name: str, file: str
) -> None:
    index, proxy = BUNDLED[name].instruments
    rows = source_rows("arch", f"data/{file}/{file}.csv.gz")
    assert len(rows) == 5_031
    for instrument in (index, proxy):
        candles = list(read_series(name, instrument).candles())
        for candle, row in zip(candles, rows, strict=True):
            expected = [
                Decimal(row[column]).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
                for column in ("Open", "High", "Low", "Close")
            ]
            assert [candle.open, candle.high, candle.low, candle.close] == expected
            assert Decimal(row["Adj Close"]) == Decimal(row["Close"])
            assert rejection_of(candle, CATALOGUE[instrument], DAILY, FOREVER_NS) is None
            assert candle.source.is_proxy == (instrument == proxy)


def test_prices_are_rounded_half_to_even_as_they_are_written() -> None:
    # 1.005 is no double: what is nearest lies below it, and must not be rounded down for that.
    prices = np.array([1.005, 1.015, 1.025, 1.015001, 1.014999, 2.675, 1229.229980])
    assert datasets.cents_of(prices).tolist() == [100, 102, 102, 102, 101, 268, 122923]


def test_two_days_of_unknown_volume_are_published_without_volume() -> None:
    series = read_series("nasdaq-index", "NDX1.XSIM")
    days = {
        str(np.datetime64(candle.open_ns, "ns"))[:10]: candle
        for candle in series.candles()
        if candle.kind is not CandleKind.OHLCV
    }
    assert sorted(days) == ["2015-05-12", "2018-01-09"]
    assert {(c.kind, c.volume) for c in days.values()} == {(CandleKind.OHLC, None)}


def test_an_index_cannot_be_traded_only_its_declared_proxy() -> None:
    for name in ("sp500-index", "nasdaq-index"):
        index, proxy = (CATALOGUE[i] for i in BUNDLED[name].instruments)
        assert not index.is_tradable
        assert proxy.is_tradable
        assert proxy.proxy_of == index.instrument
        assert proxy.tick_size == Decimal("0.01")


def test_a_file_that_is_not_the_stated_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    series = read_series("sp500-20-close", "KO.XSIM")
    table = series.opens_ns // NS_PER_DAY
    missing_day = {"sp500-20-close": lambda _: (np.delete(table, 5), dict(series.columns))}
    monkeypatch.setattr(datasets, "_TABLES", missing_day)
    with pytest.raises(DatasetDamaged, match="is not exactly the sessions of XNYS"):
        read_series("sp500-20-close", "KO.XSIM")
    too_short = {"sp500-20-close": lambda _: (table[:-1], dict(series.rows(0, 8_312).columns))}
    monkeypatch.setattr(datasets, "_TABLES", too_short)
    with pytest.raises(DatasetDamaged, match="breaks its facts"):
        read_series("sp500-20-close", "KO.XSIM")


def test_reading_bundled_data_imports_neither_its_packages_nor_pandas() -> None:
    program = (
        "import sys; from services.marketdata.datasets import read_series;"
        "read_series('sp500-20-close', 'KO.XSIM'); read_series('sp500-index', 'SPX.XSIM');"
        "slow = 'skfolio', 'arch', 'pandas', 'exchange_calendars';"
        "print([name for name in slow if name in sys.modules])"
    )
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    there = subprocess.run(
        [sys.executable, "-c", program], env=path, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == "[]"


def test_the_rules_would_notice_a_fault_in_the_data() -> None:
    candle = read_series("sp500-index", "SPX.XSIM").candle(0)
    assert candle.high is not None
    broken = replace(candle, high=candle.low)
    rejection = rejection_of(broken, CATALOGUE["SPX.XSIM"], DAILY, FOREVER_NS)
    assert rejection is not None
    assert rejection.fault is Fault.OHLC_INCONSISTENT
