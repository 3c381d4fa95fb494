"""How plans reach the workers and results come back: two of Locust's own messages.

Without workers, Locust hands both to this same process.
"""

from typing import Any, TypedDict

from locust.env import Environment
from locust.rpc import Message

from runtime.load.on_locust.process import Line

ORDER, RESULT = "load-order", "load-result"


class Order(TypedDict):
    """What one user is to do in one leg: the work of one engine."""

    leg: int
    part: int
    user: str  # The name of its class.
    plan: str
    metrics: list[str]  # Pages of the servers that it reads, too.


_orders: list[Order] = []  # Of this process, until its users take them.


def receive(environment: Environment, msg: Message, **_: Any) -> None:
    """Keep the orders of a leg for its users; what was ordered before and never begun is over."""
    _orders[:] = msg.data["orders"]


def take(user: str) -> Order | None:
    """Return what a user of this class is to do now; each order is taken by one of them."""
    place = next((n for n, order in enumerate(_orders) if order["user"] == user), None)
    return None if place is None else _orders.pop(place)


def tell(environment: Environment, order: Order, line: Line) -> None:
    """Tell whoever runs the test what came of an order."""
    assert environment.runner is not None
    result = {"leg": order["leg"], "part": order["part"], "line": line}
    environment.runner.send_message(RESULT, result)
