"""What strategy keeps: rows to plain values and back. Every function runs inside a transaction."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from services.strategy import tables as t
from services.strategy.hosted import Hosted, State, Track
from services.strategy.positions import Fill, Position, from_plain, plain
from services.strategy.signal_store import Values, last_evaluation

Found = Row[Any]
Key = tuple[str, str]
"""Strategy and instrument."""

_KEY = (
    t.strategy_states.c.strategy_id == bindparam("k_strategy"),
    t.strategy_states.c.instrument == bindparam("k_instrument"),
)
_POSITION_KEY = (
    t.strategy_positions.c.strategy_id == bindparam("k_strategy"),
    t.strategy_positions.c.instrument == bindparam("k_instrument"),
)
_INSERT_STRATEGY = insert(t.strategies)
_UPDATE_STRATEGY = update(t.strategies).where(t.strategies.c.strategy_id == bindparam("k_strategy"))
_INSERT_VERSION = insert(t.strategy_versions)
_INSERT_STATE = insert(t.strategy_states)
_UPDATE_STATE = update(t.strategy_states).where(*_KEY).values(body=bindparam("new_body"))
_INSERT_POSITION = insert(t.strategy_positions)
_UPDATE_POSITION = (
    update(t.strategy_positions).where(*_POSITION_KEY).values(body=bindparam("new_body"))
)
_CURSOR = select(t.cursors.c.sequence).where(t.cursors.c.stream == bindparam("k_stream"))
_SET_CURSOR = (
    update(t.cursors)
    .where(t.cursors.c.stream == bindparam("k_stream"))
    .values(sequence=bindparam("new_sequence"))
)
_INSERT_CURSOR = insert(t.cursors)
_INSERT_FILLS = insert(t.strategy_fills)
_SET_FILL = (
    update(t.strategy_fills)
    .where(t.strategy_fills.c.fill_id == bindparam("k_fill"))
    .values(quantity_atto=bindparam("new_quantity"), price_atto=bindparam("new_price"))
)
_KNOWN_FILLS = select(t.strategy_fills.c.fill_id).where(
    t.strategy_fills.c.fill_id.in_(bindparam("ids", expanding=True))
)
_FILLS_OF = (
    select(t.strategy_fills)
    .where(
        t.strategy_fills.c.strategy_id == bindparam("k_strategy"),
        t.strategy_fills.c.instrument == bindparam("k_instrument"),
    )
    .order_by(t.strategy_fills.c.number)
)


def insert_strategy(tx: Connection, hosted: Hosted, config: bytes) -> int:
    """Store a new strategy; return its number in the order of creation."""
    row = _strategy_row(hosted) | {"strategy_id": hosted.strategy_id}
    number = tx.execute(_INSERT_STRATEGY, row).inserted_primary_key
    insert_version(tx, hosted, config)
    key = {"strategy_id": hosted.strategy_id}
    insert_tracks(tx, key, hosted.tracks.values())
    assert number is not None
    return int(number[0])


def insert_tracks(tx: Connection, key: Values, tracks: Iterable[Track]) -> None:
    """Store the first state and position of instruments."""
    for track in tracks:
        row = key | {"instrument": track.instrument}
        tx.execute(_INSERT_STATE, row | {"body": _state_body(track)})
        tx.execute(_INSERT_POSITION, row | {"body": _position_body(track.position)})


def replace_tracks(tx: Connection, hosted: Hosted) -> None:
    """Store all instruments of a strategy anew: they may be others than before."""
    for table in (t.strategy_states, t.strategy_positions):
        tx.execute(table.delete().where(table.c.strategy_id == hosted.strategy_id))
    insert_tracks(tx, {"strategy_id": hosted.strategy_id}, hosted.tracks.values())


def insert_version(tx: Connection, hosted: Hosted, config: bytes) -> None:
    """Store the snapshot of a configuration."""
    row = {
        "strategy_id": hosted.strategy_id,
        "config_version": hosted.config_version,
        "config": config,
        "instruments": ",".join(hosted.instruments),
    }
    tx.execute(_INSERT_VERSION, row)


def update_strategies(tx: Connection, changed: Iterable[Hosted]) -> None:
    """Store state, revision and counters."""
    rows = [_strategy_row(one) | {"k_strategy": one.strategy_id} for one in changed]
    for row in rows:
        tx.execute(_UPDATE_STRATEGY, row)


def update_states(tx: Connection, changed: Sequence[tuple[str, Track]]) -> None:
    """Store what strategies remember of instruments."""
    rows = [
        {"k_strategy": sid, "k_instrument": track.instrument, "new_body": _state_body(track)}
        for sid, track in changed
    ]
    if rows:
        tx.execute(_UPDATE_STATE, rows)


def update_positions(tx: Connection, changed: Sequence[tuple[str, Track]]) -> None:
    """Store what strategies hold."""
    rows = [
        {
            "k_strategy": strategy_id,
            "k_instrument": track.instrument,
            "new_body": _position_body(track.position),
        }
        for strategy_id, track in changed
    ]
    if rows:
        tx.execute(_UPDATE_POSITION, rows)


def cursor(tx: Connection, stream: str) -> int:
    """Return how far `stream` has been read; 0 before the first time."""
    sequence = tx.execute(_CURSOR, {"k_stream": stream}).scalar()
    if sequence is None:
        tx.execute(_INSERT_CURSOR, {"stream": stream, "sequence": 0})
    return int(sequence or 0)


def set_cursor(tx: Connection, stream: str, sequence: int) -> None:
    """Note how far `stream` has been read."""
    tx.execute(_SET_CURSOR, {"k_stream": stream, "new_sequence": sequence})


def insert_fills(tx: Connection, rows: Sequence[Values]) -> None:
    """Store fills, in order."""
    if rows:
        tx.execute(_INSERT_FILLS, rows)


def set_fills(tx: Connection, rows: Sequence[Values]) -> None:
    """Store what fills were corrected to."""
    if rows:
        tx.execute(_SET_FILL, rows)


def known_fills(tx: Connection, ids: Sequence[str]) -> set[str]:
    """Return which of these fills are stored."""
    return set(tx.execute(_KNOWN_FILLS, {"ids": ids}).scalars())


def fills_of(tx: Connection, strategy_id: str, instrument: str) -> list[Fill]:
    """Return the fills of one instrument of a strategy, in order, busted ones with quantity 0."""
    key = {"k_strategy": strategy_id, "k_instrument": instrument}
    return [
        Fill(row.fill_id, int(row.quantity_atto), int(row.price_atto), row.time_ns, row.signal_id)
        for row in tx.execute(_FILLS_OF, key)
    ]


def load(tx: Connection) -> list[tuple[Row[Any], Row[Any]]]:
    """Return every strategy with its present configuration, oldest first."""
    strategies = tx.execute(select(t.strategies).order_by(t.strategies.c.number)).all()
    versions = {
        (row.strategy_id, row.config_version): row
        for row in tx.execute(select(t.strategy_versions))
    }
    return [(row, versions[row.strategy_id, row.config_version]) for row in strategies]


def load_tracks(tx: Connection) -> dict[Key, Track]:
    """Return what is remembered of every instrument of every strategy."""
    positions = {
        (row.strategy_id, row.instrument): from_plain(json.loads(row.body))
        for row in tx.execute(select(t.strategy_positions))
    }
    tracks = {
        key: Track(**json.loads(row.body), instrument=row.instrument, position=positions[key])
        for row in tx.execute(select(t.strategy_states).order_by(*t.strategy_states.primary_key))
        for key in ((row.strategy_id, row.instrument),)
    }
    for key, track in tracks.items():  # Of instruments that it has no more, nothing is asked.
        if row := last_evaluation(tx, *key):
            tracks[key] = standing(track, row)
    return tracks


def restored(row: Row[Any], config: Any, tracks: dict[str, Track]) -> Hosted:
    """Return a strategy from its row, its configuration and its instruments."""
    return Hosted(
        strategy_id=row.strategy_id,
        number=row.number,
        config=config,
        instruments=tuple(tracks),
        tracks=tracks,
        config_version=row.config_version,
        revision=row.revision,
        state=State(row.state),
        is_stopping=bool(row.is_stopping),
        anchor_ns=row.anchor_ns,
        since_sequence=row.since_sequence,
        last_error=row.last_error,
        created_ns=row.created_ns,
        updated_ns=row.updated_ns,
    )


def standing(track: Track, row: Row[Any]) -> Track:
    """Return a track that goes on behind its last evaluation."""
    track = replace(
        track,
        last_open_ns=row.candle_open_ns,
        last_close_ns=row.candle_close_ns,
        last_close_atto=int(row.close_atto),
    )
    return replace(track, bar_count=row.bar_count) if track.is_primed else track


def _strategy_row(hosted: Hosted) -> Values:
    return {
        "state": hosted.state.value,
        "is_stopping": int(hosted.is_stopping),
        "config_version": hosted.config_version,
        "revision": hosted.revision,
        "anchor_ns": hosted.anchor_ns,
        "since_sequence": hosted.since_sequence,
        "last_error": hosted.last_error,
        "created_ns": hosted.created_ns,
        "updated_ns": hosted.updated_ns,
    }


def _state_body(track: Track) -> str:
    return json.dumps(
        {
            "tick_atto": track.tick_atto,
            "lot_atto": track.lot_atto,
            "kind_state": dict(track.kind_state),
            "bar_count": track.bar_count,
            "has_range": track.has_range,
            "is_primed": track.is_primed,
            "failures": track.failures,
        }
    )


def _position_body(position: Position) -> str:
    return json.dumps(plain(position))
