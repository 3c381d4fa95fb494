"""Who is late, whose time is over, and when it is more likely discovery that went deaf."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.discovery.entries import Entry, State
from services.discovery.registry import Registry
from services.discovery.terms import Terms


@dataclass
class Judgement:
    """What an instant brings."""

    changed: list[Entry] = field(default_factory=list)  # As they are from now on.
    pause_until_ns: int = 0  # 0: leases end as usual.


def judge(registry: Registry, now_ns: int, terms: Terms) -> Judgement:
    """Return who becomes SUSPECT or EXPIRED at `now_ns`, and whether expiry pauses.

    While it pauses, and for those who were late when it began to, being late is only being
    suspect; once it is over, everybody whose time is over ends without a second thought.
    """
    live = list(registry.live())
    overdue = [entry for entry in live if registry.expire_ns(entry) <= now_ns]
    pause_until_ns, is_over = registry.pause_until_ns, False
    if pause_until_ns and now_ns >= pause_until_ns:
        pause_until_ns, is_over = 0, True
    if overdue and not pause_until_ns and not is_over and _is_mass(registry, now_ns, terms):
        pause_until_ns = now_ns + terms.mass_pause_ns
    ending = set() if pause_until_ns else {entry.lease_id for entry in overdue}
    judgement = Judgement(pause_until_ns=pause_until_ns)
    for entry in live:
        if entry.lease_id in ending:
            expired = entry.changed(now_ns, state=State.EXPIRED, ended_ns=now_ns)
            judgement.changed.append(expired)
        elif not entry.is_suspect and is_late(registry, entry, now_ns):
            judgement.changed.append(entry.changed(now_ns, is_suspect=True))
    return judgement


def is_late(registry: Registry, entry: Entry, now_ns: int) -> bool:
    """Tell whether a live instance has not beaten for half its lease."""
    return now_ns >= registry.heard_ns(entry) + entry.ttl_ns // 2


def next_ns(registry: Registry, terms: Terms) -> int | None:
    """Return when something is to be judged or forgotten next; None when nothing ever is."""
    instants = [
        known.ended_ns + terms.kept_ns for known in registry.leases.values() if known.ended_ns
    ]
    if registry.pause_until_ns:
        instants.append(registry.pause_until_ns)
    for entry in registry.live():
        heard_ns = registry.heard_ns(entry)
        if not entry.is_suspect:
            instants.append(heard_ns + entry.ttl_ns // 2)
        elif not registry.pause_until_ns:
            instants.append(heard_ns + entry.ttl_ns)
    return min(instants, default=None)


def _is_mass(registry: Registry, now_ns: int, terms: Terms) -> bool:
    """Tell whether more than half of all leases end together, not all of them of one process.

    A process that dies takes all its leases along: while others still beat, that is one fault,
    and it is not ours. Waiting would only keep its standby from taking over.
    """
    lost = [
        entry
        for entry in registry.entries.values()
        if entry.state is State.EXPIRED and entry.ended_ns > now_ns - entry.ttl_ns
    ]
    live = list(registry.live())
    late = [entry for entry in live if is_late(registry, entry, now_ns)]
    count, ending = len(live) + len(lost), [*lost, *late]
    if count < terms.mass_leases_min or 2 * len(ending) <= count:
        return False
    return len(_processes(ending)) > 1 or len(late) == len(live)


def _processes(entries: Sequence[Entry]) -> set[str]:
    return {entry.spec.endpoints[0].address for entry in entries}
