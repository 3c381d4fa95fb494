"""Computes named indicators for batches and for live streams, with equal bits."""

from services.indicators.service import Indicators

__all__ = ["Indicators"]
