"""Health: how the services of a process are, and what they promise about their data."""

from services.health.service import Health

__all__ = ["Health"]
