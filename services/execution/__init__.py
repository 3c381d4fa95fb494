"""Execution: works approved orders at the venue."""

from services.execution.peers import Peers as ExecutionPeers
from services.execution.service import Execution

__all__ = ["Execution", "ExecutionPeers"]
