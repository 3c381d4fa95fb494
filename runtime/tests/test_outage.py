"""While stores are away intents are refused and people get last known answers with their age."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.portfolio.v1 import portfolio_pb2 as pb
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.types.v1.money_pb2 import Money

from runtime.client import client_for
from runtime.clock import ReplayClock
from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import derived_rng
from runtime.local import LocalTransport
from runtime.rpc import Call
from runtime.stores.database import Database
from runtime.stores.durability import Durability
from runtime.stores.errors import CommitUnknown, StoreError
from runtime.stores.standing import Waiting
from runtime.times import NS_PER_S

START_NS = 10**18
ANA, BEN = Principal("ana", frozenset({"VIEWER"})), Principal("ben", frozenset({"VIEWER"}))
BANK = Principal("bank", frozenset({"OPERATOR"}))
RISK = Principal("risk", service="risk")
QUESTION = pb.GetPositionRequest(account="ana", instrument="ALPHA.XSIM")


class Ledger(PortfolioService):
    """Answers from a store that may be away."""

    def __init__(self) -> None:
        self.trouble: ServiceError | None = None
        self.transfers = 0

    async def get_position(
        self, request: pb.GetPositionRequest, call: Call = Call()
    ) -> pb.GetPositionResponse:
        if self.trouble is not None:
            raise self.trouble
        return pb.GetPositionResponse(position=pb.Position(instrument=request.instrument))

    async def transfer_cash(
        self, request: pb.TransferCashRequest, call: Call = Call()
    ) -> pb.TransferCashResponse:
        self.transfers += 1
        return pb.TransferCashResponse()


class Backlog:
    """A relay that gets nothing through."""

    trouble: Exception | None = ConnectionError("redis is away")

    async def waiting(self) -> Waiting:
        return Waiting(3, START_NS - 1_000 * NS_PER_S)


class Desk:
    """A ledger behind its guards, and its callers."""

    def __init__(self) -> None:
        self.ledger, self.tasks = Ledger(), Tasks("portfolio")
        self.database = Database.inline_memory()
        self.durability = Durability("portfolio", self.database, ReplayClock(START_NS), self.tasks)
        self._way_in = LocalTransport(
            [self.ledger],
            through=lambda ports: guarded(
                ports, rng=derived_rng(1, "trace"), durability=self.durability
            ),
        )

    def client(self, principal: Principal) -> PortfolioService:
        rng = derived_rng(1, principal.name)
        return client_for(PortfolioService, self._way_in, caller=principal, rng=rng)

    async def asked_by(self, principal: Principal) -> pb.GetPositionResponse:
        return await self.client(principal).get_position(QUESTION)

    def lose_store(self) -> None:
        self.ledger.trouble = StoreError("the store is down")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.database.close()


async def code_of(desk: Desk, principal: Principal) -> StatusCode:
    with pytest.raises(ServiceError) as failed:
        await desk.asked_by(principal)
    return failed.value.code


async def test_an_answer_read_just_now_has_no_age(desk: Desk) -> None:
    assert not (await desk.asked_by(ANA)).HasField("as_of")


async def test_the_last_known_answer_says_when_it_was_read(desk: Desk) -> None:
    before = await desk.asked_by(ANA)
    await asyncio.sleep(20)
    desk.lose_store()
    await asyncio.sleep(20)
    known = await desk.asked_by(ANA)
    assert known.as_of.ToNanoseconds() == START_NS
    known.ClearField("as_of")
    assert known == before


async def test_after_a_minute_nothing_is_known(desk: Desk) -> None:
    await desk.asked_by(ANA)
    desk.lose_store()
    await asyncio.sleep(59)
    assert (await desk.asked_by(ANA)).HasField("as_of")
    await asyncio.sleep(2)
    assert await code_of(desk, ANA) is StatusCode.UNAVAILABLE


async def test_what_was_never_asked_is_not_known(desk: Desk) -> None:
    desk.lose_store()
    assert await code_of(desk, ANA) is StatusCode.UNAVAILABLE


async def test_nobody_is_given_what_another_was_told(desk: Desk) -> None:
    await desk.asked_by(ANA)
    desk.lose_store()
    assert await code_of(desk, BEN) is StatusCode.UNAVAILABLE


async def test_services_do_not_decide_by_old_answers(desk: Desk) -> None:
    await desk.asked_by(RISK)
    desk.lose_store()
    assert await code_of(desk, RISK) is StatusCode.UNAVAILABLE


async def test_what_a_service_knows_without_its_store_is_as_old_as_the_outage(desk: Desk) -> None:
    await asyncio.sleep(5)
    desk.durability.presence.failed(desk.durability.now_ns(), "connection refused")
    await asyncio.sleep(59)
    known = await desk.asked_by(ANA)  # Never asked before, and the ledger answers.
    assert known.as_of.ToNanoseconds() == START_NS + 5 * NS_PER_S
    assert not (await desk.asked_by(RISK)).HasField("as_of")
    await asyncio.sleep(2)
    assert await code_of(desk, ANA) is StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "trouble",
    [CommitUnknown("read back"), ServiceError(StatusCode.NOT_FOUND, "no such account")],
    ids=["unknown commit", "a refusal"],
)
async def test_other_errors_are_passed_on(desk: Desk, trouble: ServiceError) -> None:
    await desk.asked_by(ANA)
    desk.ledger.trouble = trouble
    assert await code_of(desk, ANA) is trouble.code


async def test_an_intent_is_refused_while_too_much_waits_for_the_streams(desk: Desk) -> None:
    request = pb.TransferCashRequest(
        request_id="t-1",
        account="ana",
        amount=Money(amount=Decimal(value="5"), currency="USD"),
        direction=pb.TRANSFER_DIRECTION_IN,
    )
    relay = Backlog()
    desk.durability.publishes_through(relay)
    with pytest.raises(ServiceError) as refused:
        await desk.client(BANK).transfer_cash(request)
    assert refused.value.reason == "STREAMS_BACKLOG"
    assert desk.ledger.transfers == 0
    relay.trouble = None
    await desk.client(BANK).transfer_cash(request)
    assert desk.ledger.transfers == 1
