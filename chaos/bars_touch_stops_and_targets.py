"""Bars touch protective stops and targets, often both of them at once."""

from datetime import UTC, datetime, timedelta

from google.type.decimal_pb2 import Decimal
from trading.strategy.v1.strategy_pb2 import ExitConfig

from fixtures.checks import WITH_STOPS, WITHOUT_FAULTS
from fixtures.experiment import Experiment, Market, Trader
from fixtures.limits import LOAD

ENVELOPES, AVERAGES = ("JD00.XSIM", "JD01.XSIM"), ("JD02.XSIM", "JD03.XSIM")
TRADING_FROM = datetime(2024, 1, 2, tzinfo=UTC)

EXPERIMENT = Experiment(
    name="bars_touch_stops_and_targets",
    title="Of a stop and a target in one bar the stop is the exit, and it never loosens.",
    market=Market(
        dataset="synthetic-jd-v1",
        instruments=(*ENVELOPES, *AVERAGES),
        start=TRADING_FROM - timedelta(hours=300),
        trading_from=TRADING_FROM,
        end=TRADING_FROM + timedelta(hours=250),
        timeframe="HOUR_1",
    ),
    traders=(
        Trader(  # It signals again and again while it holds, with stops and targets close by.
            ENVELOPES,
            notional="20000",
            kind="NWE",
            parameters={
                **dict.fromkeys(("stc", "volume", "direction"), "OFF"),
                "window": 20,
                "mult": 0.5,
                "targets": "SINGLE",
                "target_ratio": 1.0,
            },
        ),
        Trader(  # Its stop comes to the entry after a small gain, and its target is not far.
            AVERAGES,
            notional="20000",
            parameters={"fast": 2, "slow": 5},
            exits=ExitConfig(
                break_even_after_r=Decimal(value="0.2"),
                round_trip_fee_bps=Decimal(value="0"),
                atr_target=Decimal(value="0.5"),
            ),
        ),
    ),
    limits=LOAD,
    hypothesis=(*WITHOUT_FAULTS, *WITH_STOPS),
)
