"""How a message for an RPC is declared: its label, what must be there, and how to make one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from loadtests.traffic.messages.stage import Stage

Make = Callable[[Stage, int], Message | Awaitable[Message]]
Heard = Callable[[Stage, Any, Any], None]


@dataclass(frozen=True)
class Rpc:
    """One RPC: its port's class is found by `label`."""

    label: str  # "OrderService/GetOrder".
    caller: str
    needs: tuple[str, ...]  # Of `Stage.prepare`.
    make: Make
    heard: Heard | None  # Told request and answer, where the next message depends on it.


RPCS: dict[str, Rpc] = {}


def ask(label: str, caller: str, *needs: str, heard: Heard | None = None) -> Callable[[Make], Make]:
    """Declare the function below as what makes messages for `label`, sent by `caller`."""

    def declare(make: Make) -> Make:
        RPCS[label] = Rpc(label, caller, needs, make, heard)
        return make

    return declare
