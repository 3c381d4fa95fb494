"""Leases: one holder at a time, tokens that only rise; on memory, file and server."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from grpc import StatusCode
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Connection, MetaData, create_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import await_

from runtime.errors import ServiceError
from runtime.stores import Database
from runtime.stores.leases import MARGIN_NS, Held, Lease, Leases, leases_table
from runtime.stores.tests.mothers import MysqlServer

T = TypeVar("T")
TTL_NS = 15_000_000_000
TABLES = MetaData()
LEASES = Leases(leases_table(TABLES), ttl_ns=TTL_NS)


class LeaseSuite:
    async def opened(self, directory: Path) -> Database:
        raise NotImplementedError

    async def ready(self, directory: Path) -> Database:
        database = await self.opened(directory)
        await database.create(TABLES)
        return database

    async def test_lease_is_for_one_until_its_time_is_over(self, tmp_path: Path) -> None:
        database = await self.ready(tmp_path)
        lease = await database.write(acquiring("ana", 0))
        assert lease == Lease("orders", "ana", 1, TTL_NS)
        held = await database.write(acquiring("ben", TTL_NS - 1))
        assert held == Held("orders", "ana", TTL_NS)
        assert await database.write(acquiring("ben", TTL_NS)) == Lease(
            "orders", "ben", 2, 2 * TTL_NS
        )
        await database.close()

    async def test_holder_that_comes_again_fences_off_its_former_self(self, tmp_path: Path) -> None:
        database = await self.ready(tmp_path)
        former = lease_of(await database.write(acquiring("ana", 0)))
        lease = lease_of(await database.write(acquiring("ana", 5)))
        assert (former.token, lease.token) == (1, 2)
        with pytest.raises(ServiceError, match="lease 1 of orders is over: lease 2 writes now"):
            await database.write(lambda tx: LEASES.renew(tx, former, 6))
        with pytest.raises(ServiceError) as caught:
            await database.write(lambda tx: LEASES.admit(tx, "orders", former.token))
        assert (caught.value.code, caught.value.reason) == (StatusCode.ABORTED, "EPOCH_SUPERSEDED")
        await database.write(lambda tx: LEASES.admit(tx, "orders", lease.token))
        await database.close()

    async def test_renewing_prolongs_and_never_shortens(self, tmp_path: Path) -> None:
        database = await self.ready(tmp_path)
        lease = lease_of(await database.write(acquiring("ana", 100)))
        later = await database.write(lambda tx: LEASES.renew(tx, lease, 200))
        assert later == Lease("orders", "ana", 1, 200 + TTL_NS)
        set_back = await database.write(lambda tx: LEASES.renew(tx, later, 50))
        assert set_back == later
        await database.close()

    async def test_released_lease_is_free_at_once_and_its_token_is_not_used_again(
        self, tmp_path: Path
    ) -> None:
        database = await self.ready(tmp_path)
        lease = lease_of(await database.write(acquiring("ana", 0)))
        assert await database.write(lambda tx: LEASES.release(tx, lease))
        assert not await database.write(lambda tx: LEASES.release(tx, lease))
        with pytest.raises(ServiceError, match="is over"):
            await database.write(lambda tx: LEASES.renew(tx, lease, 1))
        following = lease_of(await database.write(acquiring("ben", 1)))
        assert following.token == 2
        await database.close()

    async def test_token_that_another_store_gave_out_is_remembered(self, tmp_path: Path) -> None:
        database = await self.ready(tmp_path)
        await database.write(lambda tx: LEASES.admit(tx, "orders", 7))
        with pytest.raises(ServiceError, match="lease 6 of orders is over"):
            await database.write(lambda tx: LEASES.admit(tx, "orders", 6))
        assert lease_of(await database.write(acquiring("ana", 0))).token == 8
        await database.close()

    async def test_slow_holder_stops_before_a_fast_follower_begins(self, tmp_path: Path) -> None:
        """The clocks differ by the whole margin, at the first instant the lease can change."""
        database = await self.ready(tmp_path)
        lease = lease_of(await database.write(acquiring("slow", 0)))
        fast_ns = TTL_NS
        assert isinstance(await database.write(acquiring("fast", fast_ns - 1)), Held)
        assert isinstance(await database.write(acquiring("fast", fast_ns)), Lease)
        assert not lease.is_valid(fast_ns - MARGIN_NS)
        assert lease.is_valid(fast_ns - MARGIN_NS - 1)
        await database.close()

    async def test_of_many_who_come_at_once_one_gets_it(self, tmp_path: Path) -> None:
        database = await self.ready(tmp_path)
        names = [f"device-{i}" for i in range(20)]
        got = await asyncio.gather(*[database.write(acquiring(name, 0)) for name in names])
        assert [type(end) for end in got] == [Lease] + [Held] * 19
        await database.close()


class TestInMemory(LeaseSuite):
    async def opened(self, directory: Path) -> Database:
        return Database.inline_memory()


@pytest.mark.real_time
class TestInFile(LeaseSuite):
    async def opened(self, directory: Path) -> Database:
        return Database.sqlite_file(directory / "leases.sqlite")


@pytest.mark.real_time
class TestOnServer(LeaseSuite):
    @pytest.fixture(autouse=True)
    def _on(self, mysql: MysqlServer) -> None:
        self.mysql = mysql

    async def opened(self, directory: Path) -> Database:
        return Database.at_url(await self.mysql.fresh())

    async def test_processes_that_race_for_a_new_name_get_it_one_after_the_other(
        self, tmp_path: Path
    ) -> None:
        """Nobody has a row to lock yet; ten connections find none at the same time."""
        url = await self.mysql.fresh()
        racers = [Database.at_url(url) for _ in range(10)]
        await racers[0].create(TABLES)
        await asyncio.gather(*[racer.write(lambda tx: None) for racer in racers])
        got = await asyncio.gather(
            *[racer.write(acquiring(f"device-{i}", 0)) for i, racer in enumerate(racers)]
        )
        assert sorted(type(end).__name__ for end in got) == ["Held"] * 9 + ["Lease"]
        await asyncio.gather(*[racer.close() for racer in racers])

    async def test_who_was_admitted_is_through_before_a_greater_token_is_given_out(
        self, tmp_path: Path
    ) -> None:
        url = await self.mysql.fresh()
        old, new = Database.at_url(url), Database.at_url(url)
        await old.create(TABLES)
        lease = lease_of(await old.write(acquiring("ana", 0)))
        admitted, go_on = asyncio.Event(), asyncio.Event()

        def act(tx: Connection) -> None:
            LEASES.admit(tx, "orders", lease.token)
            admitted.set()
            await_(go_on.wait())

        acting = asyncio.ensure_future(old.write(act))
        await admitted.wait()
        following = asyncio.ensure_future(new.write(acquiring("ben", TTL_NS)))
        assert not (await asyncio.wait([following], timeout=0.1))[0]  # It waits for the commit.
        go_on.set()
        await acting
        assert lease_of(await following).token == 2
        with pytest.raises(ServiceError, match="lease 1 of orders is over"):
            await old.write(act)
        await old.close()
        await new.close()


class Race(RuleBasedStateMachine):
    """Devices with clocks of their own take, keep, lose and use one lease, in any order."""

    def __init__(self) -> None:
        super().__init__()
        engine = create_engine("sqlite://", poolclass=StaticPool)
        self.connection = engine.connect()
        TABLES.create_all(self.connection)
        self.now_ns = 0
        self.leases: dict[str, Lease] = {}
        self.tokens: list[int] = []
        self.acted: list[int] = []  # The tokens of what was admitted, in order.

    devices = st.sampled_from(["ana", "ben", "cy"])
    skews = st.sampled_from([-MARGIN_NS // 2, 0, MARGIN_NS // 2])

    def at(self, work: Callable[[Connection], T]) -> T | ServiceError:
        try:
            return work(self.connection)
        except ServiceError as error:
            return error

    @rule(device=devices, skew_ns=skews)
    def take(self, device: str, skew_ns: int) -> None:
        found = self.at(lambda tx: LEASES.acquire(tx, "n", device, max(0, self.now_ns + skew_ns)))
        if isinstance(found, Lease):
            assert found.token > max(self.tokens, default=0)
            self.tokens.append(found.token)
            self.leases[device] = found

    @rule(device=devices, skew_ns=skews)
    def keep(self, device: str, skew_ns: int) -> None:
        if lease := self.leases.get(device):
            found = self.at(lambda tx: LEASES.renew(tx, lease, max(0, self.now_ns + skew_ns)))
            is_newest = lease.token == max(self.tokens)
            assert isinstance(found, Lease) is (is_newest and lease.until_ns > 0)
            if isinstance(found, Lease):
                self.leases[device] = found

    @rule(device=devices)
    def give_up(self, device: str) -> None:
        if lease := self.leases.pop(device, None):
            self.at(lambda tx: LEASES.release(tx, lease))

    @rule(device=devices)
    def act(self, device: str) -> None:
        if lease := self.leases.get(device):
            found = self.at(lambda tx: LEASES.admit(tx, "n", lease.token))
            if found is None:
                self.acted.append(lease.token)

    @rule(step_ns=st.sampled_from([1, MARGIN_NS // 2, TTL_NS - MARGIN_NS, TTL_NS]))
    def pass_time(self, step_ns: int) -> None:
        self.now_ns += step_ns

    @invariant()
    def whoever_acts_is_the_last_who_took_it(self) -> None:
        assert self.acted == sorted(self.acted)
        if self.acted:
            assert self.acted[-1] <= max(self.tokens)

    @invariant()
    def no_two_believe_that_they_hold_it(self) -> None:
        """Each looks at its own clock, which may be slow by half the margin."""
        slow_ns = self.now_ns - MARGIN_NS // 2
        assert sum(lease.is_valid(slow_ns) for lease in self.leases.values()) <= 1

    def teardown(self) -> None:
        self.connection.close()
        self.connection.engine.dispose()


TestRace = Race.TestCase
TestRace.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def acquiring(holder: str, now_ns: int) -> Callable[[Connection], Lease | Held]:
    return lambda tx: LEASES.acquire(tx, "orders", holder, now_ns)


def lease_of(found: Any) -> Lease:
    assert isinstance(found, Lease)
    return found
