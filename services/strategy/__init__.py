"""Hosts strategies: evaluates each confirmed candle once, persists and publishes signals."""

from services.strategy.service import Strategies

__all__ = ["Strategies"]
