"""The order management system."""

from services.orders.service import Orders

__all__ = ["Orders"]
