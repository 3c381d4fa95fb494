"""What everybody who works parents over time shares."""

from dataclasses import dataclass

from services.execution.desk import Desk
from services.execution.doubts import Doubts
from services.execution.listening import Listening
from services.execution.market import Market
from services.execution.plans import Plan
from services.execution.reports import Reports


@dataclass(frozen=True, slots=True)
class Tools:
    """The desk, the market, the reports, the ears and the follower of doubts."""

    desk: Desk
    market: Market
    reports: Reports
    listening: Listening
    doubts: Doubts

    def stops(self, plan: Plan) -> str:
        """Return why a plan may send nothing now; empty when it may."""
        if plan.is_paused:
            return "PAUSED"
        return self.listening.stops(plan.subject)
