"""Two years of real daily closes are traded, and nothing goes wrong."""

from datetime import UTC, datetime

from fixtures.checks import WITH_LOSSES, WITH_STOPS, WITHOUT_FAULTS
from fixtures.experiment import Experiment, Market, Trader

INSTRUMENTS = ("AAPL.XSIM", "GE.XSIM", "JPM.XSIM", "PG.XSIM", "XOM.XSIM")

EXPERIMENT = Experiment(
    name="trading_day",
    title="Real daily closes of five shares are traded day by day, without faults.",
    market=Market(
        dataset="sp500-20-close",
        instruments=INSTRUMENTS,
        start=datetime(2017, 10, 2, tzinfo=UTC),
        trading_from=datetime(2018, 1, 1, tzinfo=UTC),
        end=datetime(2020, 1, 1, tzinfo=UTC),
    ),
    # Quick averages and large stakes: some of what they want, risk refuses.
    traders=(
        Trader(instruments=INSTRUMENTS, notional="170000", parameters={"fast": 5, "slow": 20}),
    ),
    hypothesis=(*WITHOUT_FAULTS, *WITH_LOSSES, *WITH_STOPS),
)
