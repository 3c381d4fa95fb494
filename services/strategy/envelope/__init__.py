"""NWE: trades back into a kernel-regression envelope."""

from services.strategy.envelope.kind import NWE

__all__ = ["NWE"]
