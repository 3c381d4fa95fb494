"""How positions are given up: E1 to E12, pure, one bar at a time, stops before targets.

Source: specification of the pipeline, section 6 (exits).
"""

from services.strategy.exits.evaluating import evaluate_exits
from services.strategy.exits.found import Exit, Exits
from services.strategy.exits.raising import raised_to
from services.strategy.exits.stops import max_loss_stop, tightest_stop

__all__ = ["Exit", "Exits", "evaluate_exits", "max_loss_stop", "raised_to", "tightest_stop"]
