"""One connection per endpoint of a service, and the choice of one for each call (D7)."""

import asyncio
import random
from bisect import bisect
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import ServiceError, refusal, unsent
from runtime.hosting import Tasks
from runtime.rpc import Call, Method
from runtime.single import Answer, Messages, one
from runtime.targets.endpoints import Connection, Endpoint, EndpointStatus
from runtime.targets.members import Member, MemberView
from runtime.targets.silence import is_broken_off

NEVER_S = float("inf")
NO_ENDPOINT_RETRY_S = 0.5  # When to ask again where nobody is: discovery tells of it at once.


@dataclass(frozen=True)
class PoolSettings:
    """How a pool chooses among the endpoints of one service."""

    zone: str = ""  # Where the callers stand; "": nowhere in particular.
    is_single: bool = False  # Has one owner at a time: only the highest epoch is called.
    failures: int = 3  # So many times UNAVAILABLE in a row put an endpoint out,
    out_s: float = 10.0  # for so long, doubling each time that it fails again,
    out_s_max: float = 60.0  # up to this;
    out_share_max: float = 0.5  # never more of the set than this.


DEFAULT_POOL = PoolSettings()


class Pool:
    """Carries each call to the less busy of two endpoints drawn at random.

    An endpoint is connected to when it is first called. One that has left gets nothing new; its
    connection closes when the calls in flight have ended, at which endless streams end too:
    whoever follows one opens it again where the service is now.
    """

    def __init__(
        self,
        service: str,
        connect: Callable[[Endpoint], Connection],
        *,
        rng: random.Random,
        settings: PoolSettings = DEFAULT_POOL,
    ) -> None:
        self.service = service
        self._connect = connect
        self._rng = rng
        self._settings = settings
        self._members: dict[str, Member] = {}  # By address.
        self._choice: list[Member] = []
        self._bounds: list[int] = []  # Running sums of their weights; none where all are alike.
        self._renew_at_s = NEVER_S  # When the first that is out comes back.
        self._leaving: dict[Member, None] = {}
        self._tasks = Tasks(f"pool of {service}")

    def update(self, endpoints: Iterable[Endpoint]) -> bool:
        """Call these endpoints from now on; returns whether any of them is a new one.

        New is an address that was not there, and another epoch at one that was: whoever is
        there now has failed nobody yet.
        """
        present = {endpoint.address: endpoint for endpoint in endpoints}
        for address in [a for a in self._members if a not in present]:
            self._leave(self._members.pop(address))
        has_new = False
        for address, endpoint in sorted(present.items()):
            member = self._members.get(address)
            if member is None or member.endpoint.epoch != endpoint.epoch:
                has_new = True
            if member is None:
                self._members[address] = Member(endpoint)
            else:
                member.become(endpoint)
        self._renew()
        return has_new

    def view(self) -> tuple[MemberView, ...]:
        """Return every endpoint with what is known of it, by address."""
        now_s = asyncio.get_running_loop().time()
        return tuple(self._members[address].view(now_s) for address in sorted(self._members))

    def is_connected(self) -> bool:
        """Tell whether a connection to anybody who may be called stands, as far as is known."""
        return any(member.is_connected for member in self._choice)

    async def close(self) -> None:
        """Close every connection, whatever is in flight."""
        members = [*self._leaving, *self._members.values()]
        self._members = {}
        self._renew()
        await self._tasks.stop()
        for member in members:
            await member.close()

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Carry one call to an endpoint, or fail it UNAVAILABLE with reason NO_ENDPOINT."""
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        member = self._chosen(method)
        connection = member.begin(self._connect)
        try:
            answer = await one(connection.call(method, requests, call))
        except BaseException as error:
            self._count_failure(member, error, method)
            raise
        else:
            member.answered()
            return answer
        finally:
            member.end()

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        member = self._chosen(method)
        is_endless = method.policy.deadline_s is None
        connection = member.begin(self._connect, is_endless=is_endless)
        answers: Messages | None = None
        try:
            answers = connection.call(method, requests, call)
            answer = await anext(answers, None)
            member.answered()
            while answer is not None:
                if is_endless and member.has_left:
                    raise _moved(method, member)
                yield answer
                answer = await anext(answers, None)
        except BaseException as error:
            self._count_failure(member, error, method)
            raise
        finally:
            member.end(is_endless=is_endless)
            if answers is not None:
                await answers.aclose()

    def _chosen(self, method: Method) -> Member:
        if self._renew_at_s < NEVER_S and asyncio.get_running_loop().time() >= self._renew_at_s:
            self._renew()
        choice = self._choice
        if len(choice) == 1:
            return choice[0]
        if not choice:
            raise unsent(
                StatusCode.UNAVAILABLE,
                "NO_ENDPOINT",
                f"nobody serves {method.service} at the moment: {method.path} was not sent; "
                "start it, or wait for it",
                service=method.service,
                retry_after_s=NO_ENDPOINT_RETRY_S,
            )
        this, other = self._two()
        if this.is_broken != other.is_broken:
            return other if this.is_broken else this
        return other if other.load < this.load else this

    def _two(self) -> tuple[Member, Member]:
        """Return two of the choice, drawn by their weights; two different ones if all are alike."""
        choice, draw = self._choice, self._rng.random
        if self._bounds:
            whole = self._bounds[-1]
            first = bisect(self._bounds, draw() * whole)
            return choice[first], choice[bisect(self._bounds, draw() * whole)]
        first = int(draw() * len(choice))
        second = (first + 1 + int(draw() * (len(choice) - 1))) % len(choice)
        return choice[first], choice[second]

    def _renew(self) -> None:
        """Find anew who may be chosen: SERVING before SUSPECT, then one's own zone first."""
        now_s = asyncio.get_running_loop().time()
        live = self._callable()
        inside = [m for m in live if m.out_until_s <= now_s]
        serving = [m for m in inside if m.endpoint.status is EndpointStatus.SERVING]
        choice = serving or inside or live
        near = [m for m in choice if m.endpoint.zone == self._settings.zone]
        self._choice = near if near and self._settings.zone else choice
        weights = [m.endpoint.weight for m in self._choice]
        self._bounds = list(accumulate(weights)) if len(set(weights)) > 1 else []
        outside = [m.out_until_s for m in live if m.out_until_s > now_s]
        self._renew_at_s = min(outside, default=NEVER_S)

    def _callable(self) -> list[Member]:
        members = [self._members[address] for address in sorted(self._members)]
        if self._settings.is_single and members:
            newest = max(m.endpoint.epoch for m in members)
            members = [m for m in members if m.endpoint.epoch == newest][:1]
        return [m for m in members if m.endpoint.status is not EndpointStatus.DRAINING]

    def _count_failure(self, member: Member, error: BaseException, method: Method) -> None:
        if not is_broken_off(error, method):
            return
        member.failures += 1
        if member.failures >= self._settings.failures and self._may_go(member):
            member.put_out(self._settings.out_s, self._settings.out_s_max)
            self._renew()

    def _may_go(self, member: Member) -> bool:
        now_s, live = asyncio.get_running_loop().time(), self._callable()
        out = sum(m.out_until_s > now_s for m in live if m is not member)
        return out + 1 <= self._settings.out_share_max * len(live)

    def _leave(self, member: Member) -> None:
        member.leave()
        self._leaving[member] = None
        self._tasks.spawn(self._see_off(member), name=f"closing {member.endpoint.address}")

    async def _see_off(self, member: Member) -> None:
        await member.quiet()
        await member.close()
        del self._leaving[member]


def _moved(method: Method, member: Member) -> ServiceError:
    return refusal(
        StatusCode.UNAVAILABLE,
        "ENDPOINT_LEFT",
        f"{method.service} is no longer at {member.endpoint.address}: "
        f"open {method.path} again, where the stream ended",
        service=method.service,
    )
