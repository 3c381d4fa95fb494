"""A strategy as the service holds it: its configuration, its state, its instruments."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from services.strategy.kinds import KindState
from services.strategy.positions import FLAT, Position
from services.strategy.registry import kind_of
from services.strategy.terms import Config, Outcome, Setting

NEVER_NS = -1
FAILURES_MAX = 3  # In a row on one instrument.
COUNTERS = ("evaluated", "not_warm", "input_missing", "failed", "published", "filtered")
COUNTED = {
    Outcome.NOT_WARM: "not_warm",
    Outcome.INPUT_MISSING: "input_missing",
    Outcome.FAILED: "failed",
}


class State(StrEnum):
    """What a strategy is doing."""

    CREATED = "CREATED"
    WARMING = "WARMING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


ACTIVE = (State.WARMING, State.RUNNING, State.PAUSED)
"""The states in which candles are evaluated."""


@dataclass(frozen=True, slots=True)
class Track:
    """One instrument of a strategy: what it remembers between candles.

    `has_range` is None until its candles are known. It is primed once the points before its
    first evaluated candle have been taken in.
    """

    instrument: str
    tick_atto: int
    lot_atto: int
    kind_state: KindState = field(default_factory=dict)
    position: Position = FLAT
    last_open_ns: int = NEVER_NS
    last_close_ns: int = NEVER_NS
    last_close_atto: int = 0
    bar_count: int = 0
    has_range: bool | None = None
    is_primed: bool = False
    failures: int = 0

    @property
    def memory(self) -> tuple[object, ...]:
        """What evaluations do not tell and must be stored when it changes."""
        return self.kind_state, self.has_range, self.is_primed, self.failures

    def forgetting(self) -> "Track":
        """Return it as before its first candle, but with what it holds: for a new configuration."""
        return replace(self, kind_state={}, bar_count=0, has_range=None, is_primed=False)


@dataclass(slots=True)
class Hosted:
    """One strategy. `revision` counts changes of configuration and state: the etag."""

    strategy_id: str
    number: int
    config: Config
    instruments: tuple[str, ...]
    tracks: dict[str, Track]
    config_version: int = 1
    revision: int = 1
    state: State = State.CREATED
    is_stopping: bool = False
    anchor_ns: int | None = None
    since_sequence: int = 0
    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    last_error: str = ""
    created_ns: int = 0
    updated_ns: int = 0

    def copy(self) -> "Hosted":
        """Return one to change; it takes the place of this one when the change is committed."""
        return replace(self, tracks=dict(self.tracks), counters=dict(self.counters))

    @property
    def is_active(self) -> bool:
        """Whether it evaluates candles."""
        return self.state in ACTIVE

    @property
    def is_flat(self) -> bool:
        """Whether it holds nothing."""
        return not any(track.position.quantity_atto for track in self.tracks.values())

    @property
    def warm_need(self) -> int:
        """How many candles its indicators take to be warm."""
        return kind_of(self.config.kind).warm_after(self.config.parameters)

    @property
    def has_evaluated(self) -> bool:
        """Whether any candle was evaluated yet."""
        return any(track.last_open_ns != NEVER_NS for track in self.tracks.values())

    def setting(self, instrument: str) -> Setting:
        """Return what decides on one of its instruments at present."""
        track = self.tracks[instrument]
        return Setting(
            config=self.config,
            tick_atto=track.tick_atto,
            lot_atto=track.lot_atto,
            has_range=bool(track.has_range),
            is_paused=self.state is State.PAUSED,
            is_flattening=self.is_stopping,
        )

    def turn(self, state: State, now_ns: int) -> None:
        """Go over to another state."""
        self.state = state
        self.changed(now_ns)

    def changed(self, now_ns: int) -> None:
        """Note a change of configuration or state."""
        self.revision += 1
        self.updated_ns = now_ns

    def settle_state(self, now_ns: int) -> None:
        """Leave WARMING once an instrument is warm, and stop once flat if that was wanted."""
        is_warm = any(track.bar_count >= self.warm_need for track in self.tracks.values())
        if self.state is State.WARMING and is_warm:
            self.turn(State.RUNNING, now_ns)
        if self.is_stopping and self.is_flat and self.state is State.PAUSED:
            self.is_stopping = False
            self.turn(State.STOPPED, now_ns)

    def count(self, counts: Mapping[str, int]) -> None:
        """Add to its counters."""
        for name, number in counts.items():
            self.counters[name] += number
