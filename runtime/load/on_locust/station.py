"""How plans reach the workers and results come back: two of Locust's own messages.

Without workers, Locust hands both to this same process.
"""

from typing import Any, TypedDict

from locust.env import Environment
from locust.rpc import Message

from runtime.load.on_locust.process import Line

ORDER, RESULT = "load-order", "load-result"


class Order(TypedDict):
    """What one user is to do in one leg."""

    leg: int
    part: int
    user: str  # The name of its class.
    plan: str
    metrics: list[str]  # Pages of the servers that it reads, too.


_orders: dict[str, Order] = {}  # Of this process, until its user takes it.


def receive(environment: Environment, msg: Message, **_: Any) -> None:
    """Keep an order for its user; what was ordered before and never begun is over."""
    order: Order = msg.data
    _orders.clear()
    _orders[order["user"]] = order


def take(user: str) -> Order | None:
    """Return what the user of this name is to do now, once."""
    return _orders.pop(user, None)


def tell(environment: Environment, order: Order, line: Line) -> None:
    """Tell whoever runs the test what came of an order."""
    assert environment.runner is not None
    result = {"leg": order["leg"], "part": order["part"], "line": line}
    environment.runner.send_message(RESULT, result)
