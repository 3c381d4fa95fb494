"""gRPC or REST for each call: chosen by a share per service, the other one when one is down.

rollout = Rollout(parsed_shares("orders=25,risk=100"))
transport = Fallback(GrpcTransport(channel), RestTransport(url, session), rollout)
rollout.set("orders", 0)  # Holds from the next call on.
"""

from runtime.fallback.rollout import Rollout, Way, parsed_shares
from runtime.fallback.transport import Fallback, WayStats

__all__ = ["Fallback", "Rollout", "Way", "WayStats", "parsed_shares"]
