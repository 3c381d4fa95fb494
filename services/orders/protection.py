"""Keeps a stop and a target at the venue for positions that ask for it (VENUE_STOP)."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.type.decimal_pb2 import Decimal
from trading.types.v1 import order_pb2
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.order_pb2 import OrderSpec

from runtime.atto import from_atto
from runtime.errors import ServiceError
from services.orders import protections, sizing
from services.orders.alarms import Alarm, of_account
from services.orders.cancels import Cancels
from services.orders.desk import Desk
from services.orders.instruments import Instruments
from services.orders.intent import received
from services.orders.legs import (
    Change,
    Create,
    Entry,
    Role,
    Step,
    Withdraw,
    open_atto,
    shares,
    steps,
)
from services.orders.limits import Limit
from services.orders.pauses import pause
from services.orders.protections import SELLS, Protected, entry_of, is_protected
from services.orders.refusals import OrderRefused
from services.orders.replaces import NewValues, Replaces
from services.orders.store import Key
from services.orders.submission import Submissions
from services.orders.unit import Unit
from services.orders.wire import attos

LEG_TIME_S = 10.0  # How long a protective order may wait for risk before it counts as refused.
TOLD_WITHIN_S = 5.0
ATTEMPTS_MAX = 10
Place = tuple[str, str]  # Account and instrument.
Told = Callable[[int, float], Coroutine[Any, Any, bool]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hands:
    """What protection does its work with."""

    submissions: Submissions
    replaces: Replaces
    cancels: Cancels
    instruments: Instruments
    told_risk: Told  # Waits until risk has the event of a sequence: it must know the position.


class Protection:
    """Follows entries that ask for it; one worker for each account and instrument."""

    def __init__(self, desk: Desk, hands: Hands) -> None:
        self._desk = desk
        self._hands = hands
        self._active: dict[Place, None] = {}  # Where entries may need work.
        self._dirty: dict[Place, int] = {}  # To the last event that may ask for work.
        self._working: dict[Place, asyncio.Task[None]] = {}

    async def begin(self) -> None:
        """Take up every entry that is not done with."""
        keys = await self._desk.environment.database.read(protections.active)
        for key in keys:
            entry = await self._desk.recorder.load(key)
            assert entry is not None
            self.look_at((entry.account, entry.instrument))

    def see(self, event: OrderEvent) -> None:
        """Look again after an event that may change what is to be protected."""
        spec = event.order.spec
        place = (spec.account, spec.instrument)
        concerns = is_protected(spec) or entry_of(spec.client_order_id)
        if concerns or (place in self._active and event.HasField("execution")):
            self.look_at(place, event.header.sequence)

    def look_at(self, place: Place, sequence: int = 0) -> None:
        """Do soon whatever the protection of a position needs."""
        self._active[place] = None
        self._dirty[place] = max(sequence, self._dirty.get(place, 0))
        if place not in self._working:
            work = self._work(place)
            task = self._desk.environment.tasks.spawn(work, name=f"protection {place[1]}")
            self._working[place] = task
            task.add_done_callback(lambda _: self._working.pop(place))

    async def _work(self, place: Place) -> None:
        with self._desk.environment.progress.working("protection"):
            attempt = 0
            while place in self._dirty:
                sequence = self._dirty.pop(place)
                try:
                    await self._hands.told_risk(sequence, TOLD_WITHIN_S)
                    await self._look(place)
                    attempt = 0
                except (ServiceError, OrderRefused) as error:
                    attempt += 1
                    await self._wait(place, sequence, attempt, error)

    async def _wait(self, place: Place, sequence: int, attempt: int, error: Exception) -> None:
        """Try again soon; after many times only when something happens, and say so."""
        log.warning("protection of %s waits: %s", place, error)
        await pause(attempt, self._desk.environment.rng)
        if attempt < ATTEMPTS_MAX:
            self._dirty.setdefault(place, sequence)
            return
        text = f"the protection of {place[1]} cannot be brought up to date: {error}"
        await self._desk.recorder.alarm(Alarm(of_account(place[0]), text))

    async def _look(self, place: Place) -> None:
        """Do the next steps of every entry of a place; their events bring the ones after."""
        found, position_atto = await self._desk.environment.database.read(
            lambda tx: (protections.load(tx, *place), protections.position_atto(tx, *place))
        )
        if not found:
            self._active.pop(place, None)
            return
        entries = [_claim(each, position_atto) for each in found]
        for each, entry in zip(found, _shared(entries, found), strict=True):
            for step in steps(entry, each.legs):
                await self._do(each, step)
            if _is_over(each, entry):
                await self._desk.recorder.write(partial(_end, key=each.entry.key))

    async def _do(self, each: Protected, step: Step) -> None:
        if isinstance(step, Create):
            await self._create(each, step)
        elif isinstance(step, Change):
            values = NewValues(
                quantity_atto=step.quantity_atto, stop_price_atto=step.stop_price_atto or None
            )
            await self._hands.replaces.replace(step.leg.key, values, _limit())
        elif isinstance(step, Withdraw):
            await self._hands.cancels.cancel(step.leg.key, _limit())
        else:
            await self._alarm(each)

    async def _alarm(self, each: Protected) -> None:
        name = each.entry.client_order_id
        text = f"the stop of {name} was refused twice: its position is closed at the market"
        await self._desk.recorder.alarm(Alarm(of_account(each.entry.account), text))

    async def _create(self, each: Protected, step: Create) -> None:
        spec = leg_spec(each, step)
        if step.role is Role.EDGE:
            edge_atto = await self._edge_atto(each)
            spec.stop_price.value = from_atto(edge_atto)
        new = received(spec)
        stored = await self._hands.submissions.create(new)
        await asyncio.wait([self._hands.submissions.drive(stored, Limit.within(LEG_TIME_S))])

    async def _edge_atto(self, each: Protected) -> int:
        """Return the worst stop price that the collar allows, on tick, toward the entry."""
        instruments, name = self._hands.instruments, each.entry.instrument
        grid = await instruments.grid(name)
        last_atto = await instruments.last_atto(name) or each.entry.order.average_price_atto
        is_long = each.spec.side not in SELLS
        share = -grid.collar_bps if is_long else grid.collar_bps
        edge_atto = last_atto * (10_000 + share) // 10_000
        return sizing.stop_on_tick(edge_atto, grid.tick_atto, is_long=is_long)


def leg_spec(each: Protected, step: Create) -> OrderSpec:
    """Return a protective order: it reduces the entry's position, and nothing else."""
    entry = each.spec
    spec = OrderSpec(
        client_order_id=f"{entry.client_order_id}/{_name(each, step.role)}",
        account=entry.account,
        strategy_id=entry.strategy_id,
        instrument=entry.instrument,
        side=order_pb2.SIDE_BUY if entry.side in SELLS else order_pb2.SIDE_SELL,
        quantity=Decimal(value=from_atto(step.quantity_atto)),
        time_in_force=order_pb2.TIME_IN_FORCE_GTC,
        reduce_only=True,
    )
    if step.role is Role.TARGET:
        spec.type = order_pb2.ORDER_TYPE_LIMIT
        spec.limit_price.CopyFrom(entry.protection.target_price)
    elif step.role is Role.MARKET:
        spec.type = order_pb2.ORDER_TYPE_MARKET
        spec.time_in_force = order_pb2.TIME_IN_FORCE_DAY
    else:
        spec.type = order_pb2.ORDER_TYPE_STOP
        spec.stop_price.value = from_atto(each.stop_price_atto)
    return spec


def _name(each: Protected, role: Role) -> str:
    fixed = {Role.STOP: "sl", Role.TARGET: "tp"}
    return fixed.get(role) or str(protections.next_number(each.legs))


def _claim(each: Protected, position_atto: int) -> Entry:
    side_atto = -position_atto if each.spec.side in SELLS else position_atto
    return Entry(
        filled_atto=each.entry.order.cum_atto,
        position_atto=max(0, side_atto),
        stop_price_atto=each.stop_price_atto,
        has_target=attos(each.spec.protection.target_price) > 0,
    )


def _shared(entries: list[Entry], found: list[Protected]) -> list[Entry]:
    """Return the entries, each with the part of the position that is its own."""
    wanted = [open_atto(entry, each.legs) for entry, each in zip(entries, found, strict=True)]
    claimed = shares(max(entry.position_atto for entry in entries), wanted)
    return [
        entry._replace(position_atto=mine) for entry, mine in zip(entries, claimed, strict=True)
    ]


def _is_over(each: Protected, entry: Entry) -> bool:
    is_ended = each.entry.order.is_terminal and not open_atto(entry, each.legs)
    return is_ended and all(leg.order.is_terminal for leg in each.legs)


def _end(unit: Unit, key: Key) -> None:
    protections.end(unit.tx, key)


def _limit() -> Limit:
    return Limit.within(LEG_TIME_S)
