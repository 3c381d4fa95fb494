"""Who may do what in Redis: one user per instance, rendered from what it says of streams."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from runtime.naming import Identity
from runtime.stores.deployment import Deployment
from runtime.stores.streams import ROOT

PASSWORD_BYTES = 32
# Whoever owns keys may do all that is done to keys, but nothing that touches those of others
# (KEYS, FLUSHALL), the server (CONFIG, INFO) or runs programs; functions are loaded by others.
OWNER = (
    *("+@read", "+@write", "+@stream", "+@keyspace", "+@transaction", "+@connection"),
    *("-@scripting", "-@dangerous", "+fcall"),
)
READER = (
    "-@all +xreadgroup +xread +xrange +xlen +xinfo +xpending +xack +xclaim +xautoclaim "
    "+xgroup|create +xgroup|createconsumer"
)
# How much there is, and who is how far; XINFO STREAM would show the payload of two entries.
MONITOR = ["+ping", "+info", "+xlen", "+xinfo|groups", "+xinfo|consumers"]
BACKUP = ["+ping", "+info", "+sync", "+psync", "+replconf", "+bgsave", "+lastsave"]
ADMIN = ["~*", "&*", "+@all"]  # Break-glass.
SPECIAL = ("monitor", "backup", "admin")


@dataclass(frozen=True, slots=True)
class User:
    """One user of Redis: a name and the words of its rule, as `ACL SETUSER` takes them."""

    name: str
    rule: tuple[str, ...]

    @property
    def line(self) -> str:
        """Return the line of `users.acl`."""
        return " ".join(("user", self.name, *self.rule))


def new_password() -> str:
    """Return a password that nobody can guess, of letters, digits, - and _."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def password_hash(password: str) -> str:
    """Return what Redis keeps of a password; it is long and random, so it needs no salt."""
    return hashlib.sha256(password.encode()).hexdigest()


def users(deployment: Deployment, hashes: Mapping[str, Sequence[str]]) -> list[User]:
    """Return all users of a Redis, `default` switched off.

    `hashes` has for each user its password hash, or two of them while it is changed: both are
    valid then. Instances must be there; `monitor`, `backup` and `admin` are if they have one.
    Raises ValueError when an instance has none, or a user more than two.
    """
    found = [User("default", ("off", "resetchannels", "-@all"))]
    for identity in deployment.instances:
        name = identity.acl_user
        found.append(User(name, (*_on(name, hashes), *_instance(deployment, identity))))
    environment = f"%R~{ROOT}:{deployment.environment}:*"
    rules = (("-@all", *MONITOR, environment), ("-@all", *BACKUP), tuple(ADMIN))
    for name, rule in zip(SPECIAL, rules, strict=True):
        if name in hashes:
            found.append(User(name, (*_on(name, hashes), *rule)))
    return found


def users_acl(found: Iterable[User]) -> str:
    """Return the text of `users.acl`, the file that a server reads at its start."""
    return "".join(f"{user.line}\n" for user in found)


async def apply(redis: Redis, found: Iterable[User]) -> None:
    """Give these users to a running server; `redis` may do everything there.

    Those who are connected stay so, with their new rights; `default` goes last.
    """
    for user in sorted(found, key=lambda user: user.name == "default"):
        words = ("ACL SETUSER", user.name, "reset", *user.rule)
        await redis.execute_command(*words)  # type: ignore[no-untyped-call]


def _instance(deployment: Deployment, identity: Identity) -> list[str]:
    streams = deployment.manifest(identity).produces
    own = [f"~{deployment.key(identity, stream)}" for stream in streams]
    foreign = [
        f"(~{deployment.key(source, stream)} {READER})"
        for stream, source in deployment.sources(identity).items()
    ]
    return [f"~{identity.namespace}:*", *own, *OWNER, *foreign]


def _on(name: str, hashes: Mapping[str, Sequence[str]]) -> list[str]:
    given = hashes.get(name, ())
    if not 1 <= len(given) <= 2:
        raise ValueError(
            f"user {name} has {len(given)} passwords, must have one, or two while it is "
            "changed: give as many"
        )
    return ["on", *(f"#{each}" for each in given)]
