"""People cancel orders while the venue fills them, and it says so late or refuses to cancel."""

from dataclasses import replace
from datetime import timedelta

from trading.risk.v1.risk_pb2 import Limits

from fixtures.checks import WITH_ALGORITHMS
from fixtures.experiment import ByHand, Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import ReportsDelayed, VenueSlow
from fixtures.faults.venue_market import CancelTooLate
from fixtures.session import MARKET, SURVIVES, TRADERS

OVER = timedelta(minutes=9)
RESTING = tuple(
    ByHand(1.0, "SQ01.XSIM", 60 + place, limit="99.50", cancelled_at_s=3.1 + 0.07 * place)
    for place in range(10)
)

EXPERIMENT = Experiment(
    name="cancels_cross_fills",
    title="A cancel that crosses a fill loses neither, and nothing is sent after it.",
    market=replace(MARKET, is_live=True),
    traders=TRADERS,
    limits=Limits(entries_per_instrument_max=50),
    faults=(
        Planned(0.5, 8.0, CancelTooLate(share=0.5)),
        Planned(0.5, 8.0, ReportsDelayed(share=0.5, duration_s=0.3)),
        Planned(0.5, 8.0, VenueSlow(share=0.5, factor=100.0)),
    ),
    by_hand=(
        *RESTING,
        ByHand(0.6, "SQ00.XSIM", 100, over=OVER, cancelled_at_s=2.1),
        ByHand(0.7, "SQ01.XSIM", -59, over=OVER, limit="100.40", cancelled_at_s=3.0),
        ByHand(0.8, "SQ02.XSIM", 59, over=OVER, participation="0.1", cancelled_at_s=5.0),
        ByHand(0.9, "SQ00.XSIM", 300, limit="98.50", cancelled_at_s=2.5),
        ByHand(1.6, "SQ02.XSIM", 30, cancelled_at_s=1.61),
        ByHand(5.0, "SQ02.XSIM", 90, over=OVER, limit="99.90"),
    ),
    hypothesis=(*SURVIVES, *WITH_ALGORITHMS),
)
