"""Three years of real daily closes are traded, and nothing goes wrong."""

from datetime import date

from fixtures.checks import WITHOUT_FAULTS
from fixtures.experiment import Experiment, Market, Trader

INSTRUMENTS = ("AAPL.XSIM", "GE.XSIM", "JPM.XSIM", "PG.XSIM", "XOM.XSIM")

EXPERIMENT = Experiment(
    name="trading_day",
    title="Real daily closes of five shares are traded day by day, without faults.",
    market=Market(
        dataset="sp500-20-close",
        instruments=INSTRUMENTS,
        first_day=date(2018, 1, 2),
        last_day=date(2019, 12, 31),
    ),
    traders=(Trader(instruments=INSTRUMENTS, notional="100000"),),
    hypothesis=WITHOUT_FAULTS,
)
