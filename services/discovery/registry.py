"""Every instance and lease there is, in memory, as committed. Plain values only."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from runtime.naming import Identity
from services.discovery.entries import Entry, Pulse

KINDS = ("schema", "namespace", "acl_user")  # The names that only one instance may have.


@dataclass(frozen=True, slots=True)
class Known:
    """A lease that was given out, and whether a later one or its end has come since."""

    instance_id: str
    fence: int
    ended_ns: int = 0  # 0: it has not.


@dataclass(frozen=True, slots=True)
class Taken:
    """A name that somebody else holds."""

    kind: str
    value: str
    holder: Entry


@dataclass(frozen=True, slots=True)
class Ended:
    """What is over: keys of leases and of instances."""

    lease_ids: tuple[str, ...]
    instance_ids: tuple[str, ...]


@dataclass
class Registry:
    """The committed state. Only the keeper changes it, right after a commit."""

    entries: dict[str, Entry] = field(default_factory=dict)  # By instance_id, also ended ones.
    leases: dict[str, Known] = field(default_factory=dict)  # By lease_id, also ended ones.
    pulses: dict[str, Pulse] = field(default_factory=dict)  # By lease_id, of those that live.
    fence: int = 0  # The last one given out.
    sequence: int = 0  # Of the last change.
    pause_until_ns: int = 0  # Until when no lease ends (D3); 0: leases end as usual.

    def live(self) -> Iterator[Entry]:
        """Yield those whose lease holds."""
        return (entry for entry in self.entries.values() if entry.is_live)

    def heard_ns(self, entry: Entry) -> int:
        """Return when a live instance was heard last."""
        return self.pulses[entry.lease_id].heard_ns

    def expire_ns(self, entry: Entry) -> int:
        """Return when the lease ends, or has ended."""
        return self.heard_ns(entry) + entry.ttl_ns if entry.is_live else entry.ended_ns

    def taken(self, identity: Identity, environment: str, instance_id: str) -> Taken | None:
        """Return a name of `identity` that another live instance holds there."""
        wanted = [(kind, getattr(identity, kind)) for kind in KINDS]
        for entry in self.live():
            if entry.spec.environment != environment or entry.spec.instance_id == instance_id:
                continue
            for kind, value in wanted:
                if getattr(entry.identity, kind) == value:
                    return Taken(kind, value, entry)
        return None

    def put(self, entry: Entry, now_ns: int) -> None:
        """Take in what was committed of an instance."""
        before = self.entries.get(entry.spec.instance_id)
        if before is not None and before.lease_id != entry.lease_id:
            self._end(before, now_ns)
        self.entries[entry.spec.instance_id] = entry
        if entry.is_live:
            self.leases[entry.lease_id] = Known(entry.spec.instance_id, entry.fence)
            self.pulses.setdefault(entry.lease_id, Pulse(now_ns))
        else:
            self._end(entry, entry.ended_ns)

    def ended_until(self, instant_ns: int) -> Ended:
        """Return what had ended by an instant; of a live instance only its former leases."""
        return Ended(
            tuple(
                lease_id
                for lease_id, known in self.leases.items()
                if 0 < known.ended_ns <= instant_ns
            ),
            tuple(
                instance_id
                for instance_id, entry in self.entries.items()
                if not entry.is_live and entry.ended_ns <= instant_ns
            ),
        )

    def forget(self, ended: Ended) -> None:
        """Drop what ended; the numbers given out go on from where they are."""
        for lease_id in ended.lease_ids:
            del self.leases[lease_id]
        for instance_id in ended.instance_ids:
            del self.entries[instance_id]

    def _end(self, entry: Entry, ended_ns: int) -> None:
        known = self.leases.get(entry.lease_id)
        if known is None or not known.ended_ns:
            ended = Known(entry.spec.instance_id, entry.fence, ended_ns)
            self.leases[entry.lease_id] = ended
        self.pulses.pop(entry.lease_id, None)
