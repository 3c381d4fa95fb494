"""Two made-up markets are traded live: prices step inside the venue while orders come."""

from datetime import UTC, datetime

from fixtures.checks import WITHOUT_FAULTS
from fixtures.experiment import Experiment, Market, Trader

INSTRUMENTS = ("SQ00.XSIM", "SQ01.XSIM", "SQ02.XSIM")

EXPERIMENT = Experiment(
    name="live_session",
    title="Two hours of one-minute bars, live: orders meet the makers' book, without faults.",
    market=Market(
        dataset="square-v1",
        instruments=INSTRUMENTS,
        start=datetime(2024, 1, 2, 13, 30, tzinfo=UTC),
        trading_from=datetime(2024, 1, 2, 14, 0, tzinfo=UTC),
        end=datetime(2024, 1, 2, 16, 0, tzinfo=UTC),
        timeframe="MINUTE_1",
        is_live=True,
    ),
    traders=(Trader(instruments=INSTRUMENTS, notional="20000", parameters={"fast": 2, "slow": 5}),),
    hypothesis=WITHOUT_FAULTS,
)
