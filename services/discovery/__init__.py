"""Discovery: who is there, where, and who may act under which name."""

from services.discovery.probes import Probe
from services.discovery.service import Discovery
from services.discovery.terms import Terms

__all__ = ["Discovery", "Probe", "Terms"]
