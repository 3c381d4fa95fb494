"""One endpoint in a pool: its connection, what is in flight there, and how it has behaved."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from runtime.targets.endpoints import Connection, Endpoint


@dataclass(frozen=True)
class MemberView:
    """What is known of an endpoint."""

    endpoint: Endpoint
    in_flight: int
    failures: int  # Times UNAVAILABLE in a row.
    is_out: bool  # Not called, because it failed too often.
    is_connected: bool


class Member:
    """An endpoint of a pool."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.in_flight = 0  # Endless streams as well.
        self.failures = 0
        self.out_until_s = 0.0
        self.has_left = False
        self._times_out = 0
        self._endless = 0
        self._connection: Connection | None = None
        self._is_quiet = asyncio.Event()  # Once it has left.

    @property
    def is_broken(self) -> bool:
        """Whether calls would have to wait for a connection that was lost."""
        return self._connection is not None and self._connection.is_broken

    @property
    def is_connected(self) -> bool:
        """Whether a connection stands."""
        return self._connection is not None and self._connection.is_connected

    @property
    def load(self) -> float:
        """How busy it is for its weight."""
        return self.in_flight / self.endpoint.weight

    def view(self, now_s: float) -> MemberView:
        """Return what is known of it."""
        return MemberView(
            self.endpoint,
            self.in_flight,
            self.failures,
            is_out=self.out_until_s > now_s,
            is_connected=self.is_connected,
        )

    def become(self, endpoint: Endpoint) -> None:
        """Take over what is said of it now; another life begins with a clean slate."""
        if endpoint.epoch != self.endpoint.epoch:
            self.failures = self._times_out = 0
            self.out_until_s = 0.0
        self.endpoint = endpoint

    def begin(
        self, connect: Callable[[Endpoint], Connection], *, is_endless: bool = False
    ) -> Connection:
        """Count a call in and return what carries it."""
        if self._connection is None:
            self._connection = connect(self.endpoint)
        self.in_flight += 1
        self._endless += is_endless
        return self._connection

    def end(self, *, is_endless: bool = False) -> None:
        """Count a call out."""
        self.in_flight -= 1
        self._endless -= is_endless
        if self.has_left:
            self._look_whether_quiet()

    def answered(self) -> None:
        """Forget its failures: it answers."""
        self.failures = self._times_out = 0

    def leave(self) -> None:
        """Get no new call from now on."""
        self.has_left = True
        self._look_whether_quiet()

    def put_out(self, first_s: float, longest_s: float) -> None:
        """Have it left alone for a while, longer each time."""
        wait_s = min(longest_s, first_s * 2.0 ** min(self._times_out, 30))
        self.out_until_s = asyncio.get_running_loop().time() + wait_s
        self._times_out += 1
        self.failures = 0

    async def quiet(self) -> None:
        """Return when it has left and no call but endless streams is in flight."""
        await self._is_quiet.wait()

    async def close(self) -> None:
        """Close its connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _look_whether_quiet(self) -> None:
        if self.in_flight == self._endless:
            self._is_quiet.set()
