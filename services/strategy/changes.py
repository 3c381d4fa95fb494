"""What a turn changes: copies of strategies, and the rows that go into one transaction."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection
from trading.types.v1 import signal_pb2

from runtime.observe.scope import traceparent
from runtime.stores import Event, Outbox
from runtime.times import to_ns
from services.strategy import signal_store, store
from services.strategy.evaluation import Evaluation
from services.strategy.hosted import COUNTED, Hosted, Track
from services.strategy.proposing import marked_leaving, takes_off
from services.strategy.signals import Draft, drafted, placed
from services.strategy.terms import Bar, Outcome, Proposal

STREAM = "signals"
TYPE = signal_pb2.Signal.DESCRIPTOR.full_name


class Changes:
    """Collects changes; `write` stores them, and may be run again."""

    def __init__(self, now_ns: int, epoch: int, sequence: int) -> None:
        """Begin at `now_ns`; `sequence` is that of the last signal published before."""
        self.now_ns = now_ns
        self.hosted: dict[str, Hosted] = {}
        self._revisions: dict[str, int] = {}
        self._epoch = epoch
        self._sequence = sequence
        self._traceparent = traceparent()
        self._states: dict[tuple[str, str], Track] = {}
        self._positions: dict[tuple[str, str], Track] = {}
        self._evaluations: list[signal_store.Values] = []
        self._drafts: list[Draft] = []

    def of(self, hosted: Hosted) -> Hosted:
        """Return the copy of a strategy that may be changed."""
        if hosted.strategy_id not in self.hosted:
            self.hosted[hosted.strategy_id] = hosted.copy()
            self._revisions[hosted.strategy_id] = hosted.revision
        return self.hosted[hosted.strategy_id]

    def keep(self, hosted: Hosted, track: Track) -> None:
        """Put a track in the place of the one before it, and store what is not in evaluations."""
        key, before = (hosted.strategy_id, track.instrument), hosted.tracks[track.instrument]
        if track.position is not before.position:
            self._positions[key] = track
        if track.memory != before.memory:
            self._states[key] = track
        hosted.tracks[track.instrument] = track

    def evaluated(
        self, hosted: Hosted, track: Track, sequence: int, evaluation: Evaluation | None
    ) -> None:
        """Note the evaluation of the last candle of a track; None is one that failed."""
        outcome = evaluation.outcome if evaluation else Outcome.FAILED
        name = COUNTED.get(outcome)
        hosted.count({"evaluated": 1} | ({name: 1} if name else {}))
        self._evaluations.append(
            {
                "strategy_id": hosted.strategy_id,
                "instrument": track.instrument,
                "candle_open_ns": track.last_open_ns,
                "candle_close_ns": track.last_close_ns,
                "close_atto": str(track.last_close_atto),
                "sequence": sequence,
                "bar_count": track.bar_count,
                "config_version": hosted.config_version,
                "outcome": outcome.value,
                "is_intrabar_unknown": int(bool(evaluation and evaluation.is_intrabar_unknown)),
                "latency_ns": self.now_ns - track.last_close_ns,
            }
        )

    def signalled(
        self, hosted: Hosted, track: Track, bar: Bar, proposals: Iterable[Proposal]
    ) -> Track:
        """Note signals; return the track, on its way out of its position if they say so."""
        for proposal in proposals:
            draft = drafted(hosted, track.instrument, bar, proposal)
            track = self.drafted(hosted, track, proposal, draft)
        return track

    def drafted(self, hosted: Hosted, track: Track, proposal: Proposal, draft: Draft) -> Track:
        """Note one signal as it is worded; return the track after it."""
        self._drafts.append(draft)
        hosted.count({"published" if draft.is_published else "filtered": 1})
        if not takes_off(proposal, track.position):
            return track
        signal = draft.message
        leaving = marked_leaving(track.position, signal.signal_id, to_ns(signal.valid_until))
        return replace(track, position=leaving)

    def write(self, tx: Connection, outbox: Outbox) -> list[signal_pb2.Signal]:
        """Store everything; return the signals that are published by it."""
        published = self._write_signals(tx, outbox)
        signal_store.insert_evaluations(tx, self._evaluations)
        store.update_states(tx, [(key[0], track) for key, track in self._states.items()])
        store.update_positions(tx, [(key[0], track) for key, track in self._positions.items()])
        changed = [h for h in self.hosted.values() if h.revision != self._revisions[h.strategy_id]]
        store.update_strategies(tx, changed)
        return published

    def _write_signals(self, tx: Connection, outbox: Outbox) -> list[signal_pb2.Signal]:
        if not self._drafts:
            return []
        sequence = self._sequence
        published, rows = [], []
        for draft in self._drafts:
            signal = draft.message
            if draft.is_published:
                sequence += 1
                signal = placed(draft, sequence, epoch=self._epoch, now_ns=self.now_ns)
                signal.header.traceparent = self._traceparent
                published.append(signal)
            rows.append(_row(signal))
        signal_store.insert_signals(tx, rows)
        outbox.append(tx, *(_event(signal) for signal in published))
        return published


def _row(signal: signal_pb2.Signal) -> signal_store.Values:
    return {
        "signal_id": signal.signal_id,
        "sequence": signal.header.sequence or None,
        "strategy_id": signal.strategy_id,
        "instrument": signal.instrument,
        "status": signal.status,
        "payload": signal.SerializeToString(deterministic=True),
    }


def _event(signal: signal_pb2.Signal) -> Event:
    return Event(
        stream=STREAM,
        event_id=signal.header.event_id,
        type=TYPE,
        key=f"{signal.account}|{signal.instrument}|{signal.strategy_id}",
        sequence=signal.header.sequence,
        payload=signal.SerializeToString(deterministic=True),
        traceparent=signal.header.traceparent,
    )
