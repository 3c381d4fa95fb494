"""VEGAS: weighs conditions around a tunnel of exponential averages."""

from services.strategy.vegas.kind import VEGAS

__all__ = ["VEGAS"]
