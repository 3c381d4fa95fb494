"""An event loop whose time jumps to the next timer instead of waiting for it."""

import asyncio
from typing import Any, NoReturn

HORIZON_S = 30 * 86_400.0


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs pure-asyncio code as fast as the processor allows, in a fixed order.

    Time starts at 0 and moves only when every task waits. Sockets, threads, pipes and
    processes have no virtual time, so asking for one is an error. Raises RuntimeError when
    nothing can ever happen again, or when `horizon_s` of virtual time has passed.
    """

    def __init__(self, horizon_s: float = HORIZON_S) -> None:
        super().__init__()
        self._now_s = 0.0
        self._horizon_s = horizon_s
        self._selector = self  # The loop asks it for events: see `select`.

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._now_s

    def select(self, timeout: float | None) -> list[Any]:
        """Jump over the wait: there is no I/O to wait for."""
        if timeout is None:
            raise RuntimeError(f"deadlock: every task waits and no timer is set{self._waiting()}")
        if timeout > 0:
            self._now_s += timeout
            if self._now_s > self._horizon_s:
                raise RuntimeError(
                    f"virtual time is beyond {self._horizon_s:.0f} s: what ends this?"
                    f"{self._waiting()}"
                )
        return []

    def _waiting(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        return "".join(f"\n  {task.get_name()} at {_place(task)}" for task in tasks)

    def _process_events(self, event_list: list[Any]) -> None:
        """Do nothing: no event ever comes."""

    def _write_to_self(self) -> None:
        """Do nothing: the loop never sleeps, so nobody has to wake it."""


def _forbidden(name: str) -> Any:
    def refuse(self: VirtualLoop, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"{name} has no virtual time: use LocalTransport, SimulatedNetwork and in-memory "
            "stores, or mark the test real_time"
        )

    refuse.__name__ = name
    return refuse


for _name in (
    "add_reader",
    "add_signal_handler",
    "add_writer",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "run_in_executor",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_sendall",
    "subprocess_exec",
    "subprocess_shell",
):
    setattr(VirtualLoop, _name, _forbidden(_name))


def _place(task: asyncio.Task[Any]) -> str:
    """Return where the innermost coroutine of `task` stands."""
    waits_on: Any = task.get_coro()
    place = "its start"
    while waits_on is not None:
        frame = getattr(waits_on, "cr_frame", None) or getattr(waits_on, "ag_frame", None)
        if frame is not None:
            place = f"{frame.f_code.co_filename}:{frame.f_lineno} ({frame.f_code.co_qualname})"
        waits_on = getattr(waits_on, "cr_await", None) or getattr(waits_on, "ag_await", None)
    return place


def require_real_time(what: str) -> None:
    """Raise RuntimeError if the running loop is virtual: `what` keeps its own, real time."""
    if isinstance(asyncio.get_running_loop(), VirtualLoop):
        raise RuntimeError(
            f"{what} runs in real time, the running loop is virtual: use LocalTransport or "
            "SimulatedNetwork, or run it on an ordinary loop (in a test: mark it real_time)"
        )
