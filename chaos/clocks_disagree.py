"""Clocks of services are wrong, jump and drift."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.clocks import ClockDrift, ClockJump, ClockSkew
from fixtures.faults.venue_market import VenueClockSkew
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="clocks_disagree",
    title="Order of time is not taken from clocks that disagree.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, ClockSkew(by_s=0.5), Target("orders")),
        Planned(1.0, 5.0, ClockJump(by_s=-1.0), Target("execution")),
        Planned(1.0, 5.0, ClockDrift(rate_ppm=5000.0), Target("risk")),
        Planned(1.0, 5.0, VenueClockSkew()),
    ),
    hypothesis=SURVIVES,
)
