"""Which instances there are, which streams each writes, and whose streams each reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis

from runtime.naming import Identity, check_distinct
from runtime.stores.streams import Streams, check_environment, stream_key_of


@dataclass(frozen=True, slots=True)
class Reads:
    """One stream that a service reads, by its producer's service and its short name."""

    service: str
    stream: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a service does with streams. Rights, groups and trimming follow from it."""

    produces: tuple[str, ...] = ()
    reads: tuple[Reads, ...] = ()


@dataclass(frozen=True)
class Deployment:
    """The instances of one environment.

    A reader reads from the producer's instance of its own suffix, else from the only one
    without a suffix: `orders-LH` from `strategy-LH` if there is one, else from `strategy`.
    `chosen` says otherwise: (reader, stream) to producer, by instance names.
    Raises ValueError when names collide or a stream has no producer.
    """

    instances: tuple[Identity, ...]
    manifests: Mapping[str, Manifest]
    environment: str = "local"
    chosen: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_environment(self.environment)
        check_distinct(self.instances)
        for identity in self.instances:
            self.sources(identity)

    def manifest(self, identity: Identity) -> Manifest:
        """Return what an instance does with streams; nothing, when nobody has said."""
        return self.manifests.get(identity.service, Manifest())

    def sources(self, reader: Identity) -> dict[str, Identity]:
        """Return whose streams an instance reads, by stream."""
        return {reads.stream: self._source(reader, reads) for reads in self.manifest(reader).reads}

    def readers(self, producer: Identity) -> dict[str, tuple[str, ...]]:
        """Return the groups that read each stream of an instance."""
        found: dict[str, list[str]] = {name: [] for name in self.manifest(producer).produces}
        for reader in self.instances:
            for stream, source in self.sources(reader).items():
                if source == producer:
                    found[stream].append(reader.namespace)
        return {stream: tuple(groups) for stream, groups in found.items()}

    def streams(self, identity: Identity, redis: Redis) -> Streams:
        """Return what `identity` sees of `redis`."""
        return Streams(
            redis,
            identity,
            self.environment,
            sources=self.sources(identity),
            readers=self.readers(identity),
        )

    def key(self, identity: Identity, stream: str) -> str:
        """Return the Redis key of an instance's stream."""
        return stream_key_of(identity, stream, self.environment)

    def _source(self, reader: Identity, reads: Reads) -> Identity:
        if reads.stream not in self.manifests.get(reads.service, Manifest()).produces:
            raise ValueError(
                f"{reader.service} reads {reads.stream} of {reads.service}, which does not "
                "produce it: correct a manifest"
            )
        named = {i.instance_name: i for i in self.instances if i.service == reads.service}
        suffix = reader.instance_name.removeprefix(reader.service)
        wanted = list(dict.fromkeys([f"{reads.service}{suffix}", reads.service]))
        if chosen := self.chosen.get((reader.instance_name, reads.stream)):
            wanted = [chosen]
        for name in wanted:
            if name in named:
                return named[name]
        raise ValueError(
            f"{reader.instance_name} reads {reads.stream} of {' or '.join(wanted)}, which must be "
            "deployed: deploy the producer"
        )
