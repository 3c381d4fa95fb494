"""Valid messages for every single RPC that its contract states a load for.

`prepared` names what a message is about; `single.Single` prepares it, then asks for one message
after another. What only one service says to another is said in that service's name, about orders
of our own: fills of orders that the platform did not make itself are booked as external.
"""

from loadtests.traffic.messages import (
    execution,
    indicators,
    marketdata,
    orders,
    portfolio,
    registry,
    risk,
    strategies,
    venue,
)
from loadtests.traffic.messages.asking import RPCS, Rpc
from loadtests.traffic.messages.stage import Stage

__all__ = [
    "RPCS",
    "Rpc",
    "Stage",
    "execution",
    "indicators",
    "marketdata",
    "orders",
    "portfolio",
    "registry",
    "risk",
    "strategies",
    "venue",
]
