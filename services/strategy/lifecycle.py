"""The requests that change a strategy: each once per request id, each in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection
from trading.strategy.v1 import strategy_pb2 as pb

from runtime.environment import Environment
from runtime.rpc import Call
from runtime.stores import Requests
from services.strategy import configuring, signal_store, store
from services.strategy import tables as t
from services.strategy.changes import Changes
from services.strategy.hosted import Hosted, State
from services.strategy.indicators import IndicatorRequests, Past
from services.strategy.instruments import Instruments
from services.strategy.registry import checked
from services.strategy.roster import Roster
from services.strategy.terms import Config
from services.strategy.wire import config_bytes, config_of, strategy_message

AT_ONCE = 32  # Instruments whose past is asked for together.

A = TypeVar("A", bound=Message)
Change = (
    pb.UpdateStrategyRequest
    | pb.StartStrategyRequest
    | pb.PauseStrategyRequest
    | pb.StopStrategyRequest
)
Identified = pb.CreateStrategyRequest | Change


class Lifecycle:
    """Changes strategies; every answer shows the strategy as it is then."""

    def __init__(
        self,
        environment: Environment,
        roster: Roster,
        instruments: Instruments,
        indicators: IndicatorRequests,
    ) -> None:
        self._environment = environment
        self._roster = roster
        self._instruments = instruments
        self._indicators = indicators
        self._requests = Requests(
            environment.database, t.requests, environment.clock, service=environment.service
        )

    async def stop_waiting(self) -> None:
        """Cancel what still runs for callers."""
        await self._requests.stop()

    async def create(self, request: pb.CreateStrategyRequest, call: Call) -> pb.Strategy:
        """Store a new strategy, unless it is only to be checked."""
        config = checked(config_of(request))
        found = await self._instruments.tradable(request.instruments, config.sizing, call)
        now_ns = self._environment.clock.now_ns()
        if request.validate_only:
            return strategy_message(configuring.created("", config, found, now_ns))

        async def create() -> pb.Strategy:
            strategy_id = self._environment.ids.new()
            hosted = configuring.created(strategy_id, config, found, now_ns)
            answer = strategy_message(hosted)

            def insert(tx: Connection) -> None:
                hosted.number = store.insert_strategy(tx, hosted, config_bytes(config))
                self._remember(tx, request, answer)

            async with self._roster.turn():
                await self._roster.commit(self._roster.changes(), insert)
                self._roster.hosted[strategy_id] = hosted
            return answer

        return await self._once(request, create)

    async def update(self, request: pb.UpdateStrategyRequest, call: Call) -> pb.Strategy:
        """Replace the configuration."""

        async def update() -> pb.Strategy:
            before = self._roster.known(request.strategy_id)
            configuring.check_etag(before, request.etag)
            config = configuring.changed_config(before, request)
            names = tuple(request.instruments) or before.instruments
            found = await self._instruments.tradable(names, config.sizing, call)
            pasts = await self._pasts(config, names, call) if before.is_active else None

            def change(changes: Changes, hosted: Hosted) -> None:
                configuring.check_etag(hosted, request.etag)
                configuring.configure(hosted, config, found, pasts)
                hosted.changed(changes.now_ns)

            def also(tx: Connection, hosted: Hosted) -> None:
                store.insert_version(tx, hosted, config_bytes(config))
                store.replace_tracks(tx, hosted)

            return await self._changed(request, change, also)

        return await self._once(request, update)

    async def start(self, request: pb.StartStrategyRequest, call: Call) -> pb.Strategy:
        """Start or resume a strategy."""

        async def start() -> pb.Strategy:
            before = self._roster.known(request.strategy_id)
            pasts: dict[str, Past] = {}
            if before.state is State.CREATED:
                names, sizing = before.instruments, before.config.sizing
                await self._instruments.tradable(names, sizing, call)
                pasts = await self._pasts(before.config, names, call)
                configuring.check_pasts(
                    before, pasts, is_cold_allowed=request.is_cold_start_allowed
                )

            def change(changes: Changes, hosted: Hosted) -> None:
                since = self._roster.candles_sequence
                configuring.start(hosted, pasts, since_sequence=since, now_ns=changes.now_ns)

            return await self._changed(request, change, store.replace_tracks)

        return await self._once(request, start)

    async def pause(self, request: pb.PauseStrategyRequest) -> pb.Strategy:
        """Open nothing more."""

        async def pause() -> pb.Strategy:
            return await self._changed(
                request, lambda changes, hosted: configuring.pause(hosted, changes.now_ns)
            )

        return await self._once(request, pause)

    async def stop(self, request: pb.StopStrategyRequest) -> pb.Strategy:
        """Evaluate nothing more, after closing what is held if that is wanted."""

        async def stop() -> pb.Strategy:
            given = await self._closes_given(self._roster.known(request.strategy_id))

            def change(changes: Changes, hosted: Hosted) -> None:
                if request.is_flatten and not hosted.is_flat:
                    configuring.flatten(changes, hosted, given)
                else:
                    configuring.stop(hosted, changes.now_ns)

            return await self._changed(request, change)

        return await self._once(request, stop)

    async def _changed(
        self,
        request: Change,
        change: Callable[[Changes, Hosted], None],
        also: Callable[[Connection, Hosted], None] = lambda tx, hosted: None,
    ) -> pb.Strategy:
        """Return the strategy after `change`, committed together with the answer."""
        async with self._roster.turn():
            changes = self._roster.changes()
            hosted = changes.of(self._roster.known(request.strategy_id))
            change(changes, hosted)
            answer = strategy_message(hosted)

            def write(tx: Connection) -> None:
                also(tx, hosted)
                self._remember(tx, request, answer)

            await self._roster.commit(changes, write)
        return answer

    async def _pasts(self, config: Config, names: Sequence[str], call: Call) -> dict[str, Past]:
        pasts: list[Past] = []
        for first in range(0, len(names), AT_ONCE):
            some = names[first : first + AT_ONCE]
            pasts += await asyncio.gather(
                *(self._indicators.past(config, name, call) for name in some)
            )
        return dict(zip(names, pasts, strict=True))

    async def _closes_given(self, hosted: Hosted) -> set[str]:
        """Return which closing signals after the last candles were made already."""
        ids = [configuring.close_id(hosted, track) for track in hosted.tracks.values()]
        found = await self._environment.database.read(
            lambda tx: signal_store.signals_by_id(tx, ids)
        )
        return set(found)

    async def _once(self, request: Identified, work: Callable[[], Awaitable[A]]) -> A:
        return await self._requests.once(_method(request), request.request_id, request, work)

    def _remember(self, tx: Connection, request: Identified, answer: Message) -> None:
        self._requests.remember(tx, _method(request), request.request_id, request, answer)


def _method(request: Identified) -> str:
    return type(request).__name__.removesuffix("Request")
