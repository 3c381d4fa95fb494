"""The portfolio: fills booked into a double-entry ledger, valued at market prices."""

from services.portfolio.service import Portfolio

__all__ = ["Portfolio"]
