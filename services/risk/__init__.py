"""Pre-trade risk: a table of checks, holds for what was approved, trading modes."""

from services.risk.service import Risk

__all__ = ["Risk"]
