"""One session of made-up one-minute bars that cross their averages as often as they can."""

from datetime import UTC, datetime

from fixtures.checks import WITHOUT_FAULTS
from fixtures.checks.market import signal_share_at_least
from fixtures.experiment import Experiment, Market, Trader
from fixtures.limits import LOAD

INSTRUMENTS = tuple(f"SQ{number:02}.XSIM" for number in range(5))

EXPERIMENT = Experiment(
    name="square_session",
    title="390 one-minute bars of five instruments, a signal on every fourth, without faults.",
    market=Market(
        dataset="square-v1",
        instruments=INSTRUMENTS,
        start=datetime(2024, 1, 2, 13, 30, tzinfo=UTC),
        trading_from=datetime(2024, 1, 2, 14, 30, tzinfo=UTC),
        end=datetime(2024, 1, 2, 21, 0, tzinfo=UTC),
        timeframe="MINUTE_1",
    ),
    traders=(
        Trader(instruments=INSTRUMENTS, notional="100000", parameters={"fast": 2, "slow": 5}),
    ),
    limits=LOAD,
    hypothesis=(*WITHOUT_FAULTS, signal_share_at_least(0.2)),
)
