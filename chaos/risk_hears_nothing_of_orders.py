"""For six seconds no event of an order reaches risk, while people place one order after another."""

from trading.risk.v1.risk_pb2 import Limits

from fixtures.experiment import ByHand, Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.rpc import StatusInjected
from fixtures.session import MARKET, SURVIVES, TRADERS

OPEN_MAX = 3

EXPERIMENT = Experiment(
    name="risk_hears_nothing_of_orders",
    title="An order that risk hears nothing of is held for, however long that is.",
    market=MARKET,
    traders=TRADERS,
    limits=Limits(open_orders_max=OPEN_MAX),
    faults=(Planned(0.5, 6.0, StatusInjected(), Target("orders", "risk", ("ReportOrderEvents",))),),
    by_hand=tuple(
        ByHand(0.6 + place, "SQ01.XSIM", 20 + place, limit="95.00", cancelled_at_s=8.0)
        for place in range(2 * OPEN_MAX)
    ),
    hypothesis=SURVIVES,
)
