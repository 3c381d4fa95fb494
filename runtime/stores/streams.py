"""Redis as one instance sees it: names of streams and keys, and who must have read what."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from runtime.naming import Identity
from runtime.stores.redis_link import hearing

ROOT = "plimsoll"  # Of every key that several instances share.
STREAM = re.compile(r"[a-z][a-z0-9_]*")
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 5.0  # Longer than any read blocks: a connection that is half open ends.
ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Streams:
    """One instance's way into Redis.

    `sources` names whose stream it reads, stream by stream; what is not there is its own.
    `readers` names the groups (namespaces) that must have acknowledged an entry of one of
    its own streams before the entry may go. A stream that is not there keeps everything.
    """

    redis: Redis
    identity: Identity
    environment: str = "local"
    sources: Mapping[str, Identity] = field(default_factory=dict)
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_environment(self.environment)

    def key(self, stream: str, *, of: Identity | None = None) -> str:
        """Return the Redis key of this instance's own stream, or of the one of another."""
        return stream_key_of(of or self.identity, stream, self.environment)

    def source_key(self, stream: str) -> str:
        """Return the Redis key of the stream that this instance reads under that name."""
        return self.key(stream, of=self.sources.get(stream))

    @property
    def marks(self) -> str:
        """Return the key of the hash that says how far each own stream is published."""
        return self.private("relay", "published")

    def private(self, kind: str, name: str) -> str:
        """Return the key of something that is this instance's own: `<namespace>:<kind>:<id>`."""
        return f"{self.identity.namespace}:{kind}:{name}"


def check_environment(environment: str) -> None:
    """Raise ValueError when that is no name of an environment."""
    if not ENVIRONMENT.fullmatch(environment):
        raise ValueError(
            f"environment is {environment!r}, must be a-z 0-9 - and begin with a letter: rename it"
        )


def stream_key_of(identity: Identity, stream: str, environment: str) -> str:
    """Return `plimsoll:<env>:<stream>`, for a named instance `plimsoll:<env>:<ns>.<stream>`."""
    if not STREAM.fullmatch(stream):
        raise ValueError(f"stream is {stream!r}, must be a-z 0-9 _ only: rename it")
    own = "" if identity.is_singleton else f"{identity.namespace}."
    return f"{ROOT}:{environment}:{own}{stream}"


def connect(url: str) -> Redis:
    """Return a client of the Redis at `url` (`redis://host:port` or `unix://path`).

    It repeats nothing by itself: a command sent twice would change the order of a stream,
    and the relay and the consumers know when to try again. One dialect (RESP2) everywhere.
    A server that does not answer within 5 s is taken for gone.
    """
    return hearing(
        Redis.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
        )
    )
