"""What a process of the platform is told, by options or by the environment.

    PLIMSOLL_APPROVAL_KEY   signs what risk approves; at least 32 bytes
    PLIMSOLL_LISTEN         address to listen on              --listen     127.0.0.1:50050
    PLIMSOLL_FOLDER         where local files go              --folder     data
    PLIMSOLL_DATABASES      folder of the SQLite files, or    --databases  the folder
                            mysql+aiomysql://{user}:{password}@host/{schema}
    PLIMSOLL_REDIS          redis://{user}:{password}@host    --redis      a bundled one
    PLIMSOLL_SECRETS        folder of password files          --secrets    none
    PLIMSOLL_INSTANCES      instances with names of their own --instances  none: the plain ones
    PLIMSOLL_OTHERS         further instances elsewhere       --others     none
    PLIMSOLL_SERVICES       what to host here: orders,risk    --services   all
    PLIMSOLL_STANDBYS       what else may be started here     --standbys   none
    PLIMSOLL_PEERS          addresses of the others:          --peers      none
                            exchange=10.0.0.9:1,risk=10.0.0.2:50050
                            (of discovery: also its standbys, joined by "|")
    PLIMSOLL_TLS            folder of certificates: ca.pem,   --tls        none: clear text
                            and <instance>.pem and .key of each
    PLIMSOLL_PLAIN_TEXT     yes: answer others in clear text  --plain-text no
    PLIMSOLL_DURABILITY     durable, or ephemeral: in memory  --durability durable
    PLIMSOLL_ENVIRONMENT    where this runs                   --environment local
    PLIMSOLL_LOG_LEVEL      debug, info, warning or error     --log-level  warning

{user}, {password} and {schema} stand for each instance's own. A password is the content of
SECRETS/<instance>.redis or .databases, or PLIMSOLL_REDIS_PASSWORD, PLIMSOLL_DATABASES_PASSWORD.
"""

import argparse
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from runtime.door import LOOPBACK
from runtime.naming import Identity, identity_of
from runtime.stores.deployment import Deployment, Manifest

EXCHANGE = "exchange"  # The venue: it runs elsewhere, always.
KEY_BYTES_MIN = 32
LOG_LEVELS = ("debug", "info", "warning", "error")
ADDRESS = re.compile(r"[^\s:|]+:\d{1,5}|\[[0-9a-fA-F:.]+\]:\d{1,5}")
DURABLE, EPHEMERAL = "durable", "ephemeral"
YES, NO = "yes", "no"
ALWAYS_DURABLE = ALWAYS_SECURE = ("staging", "production")
DEFAULTS = {
    "listen": "127.0.0.1:50050",
    "folder": "data",
    "databases": "",
    "redis": "",
    "secrets": "",
    "instances": "",
    "others": "",
    "services": "",
    "standbys": "",
    "peers": "",
    "tls": "",
    "plain_text": NO,
    "durability": DURABLE,
    "environment": "local",
    "log_level": "warning",
}


@dataclass(frozen=True)
class Settings:
    """What a process of the platform is told. URLs hold passwords: never print them."""

    listen: str
    folder: Path
    peers: Mapping[str, str]  # Addresses of services that run elsewhere.
    deployment: Deployment
    hosted: Mapping[str, Identity]  # By service; standbys as well.
    approval_key: bytes = field(repr=False)
    database_urls: Mapping[str, str] = field(repr=False)  # By service; none: SQLite files.
    redis_urls: Mapping[str, str] = field(repr=False)  # By service; none: the bundled server.
    standbys: tuple[str, ...] = ()  # Of those hosted: what is not started with the process.
    is_ephemeral: bool = False  # Whether all state is in memory, gone with the process.
    environment: str = "local"
    log_level: str = "warning"
    tls: Path | None = None  # The folder of certificates; None: clear text.
    is_plain_text_allowed: bool = False  # Also beyond this machine.

    @property
    def secrets(self) -> list[str]:
        """What must appear in no log line: the key, and the passwords in the URLs."""
        urls = [*self.database_urls.values(), *self.redis_urls.values()]
        passwords = [unquote(urlsplit(url).password or "") for url in urls]
        return [self.approval_key.decode(), *filter(None, passwords)]


def settings_of(
    arguments: Sequence[str], environ: Mapping[str, str], manifests: Mapping[str, Manifest]
) -> Settings:
    """Return the settings, options before environment; ends the process when one is wrong.

    `manifests` has every service there is, in start order.
    """
    parser = argparse.ArgumentParser(prog="python -m services", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for option, default in DEFAULTS.items():
        value = environ.get(f"PLIMSOLL_{option.upper()}", default)
        parser.add_argument(f"--{option.replace('_', '-')}", default=value)
    given = parser.parse_args(arguments)
    try:
        return _settings(given, environ, manifests)
    except ValueError as error:
        parser.error(str(error))


def _settings(
    given: argparse.Namespace, environ: Mapping[str, str], manifests: Mapping[str, Manifest]
) -> Settings:
    key = environ.get("PLIMSOLL_APPROVAL_KEY", "").encode()
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(
            f"PLIMSOLL_APPROVAL_KEY has {len(key)} bytes, must have at least {KEY_BYTES_MIN}: "
            "set it to one secret for all services"
        )
    _check_durability(given.durability, given.environment)
    if given.log_level.lower() not in LOG_LEVELS:
        raise ValueError(
            f"log level is {given.log_level!r}, must be one of {', '.join(LOG_LEVELS)}"
        )
    _check_plain_text(given)
    named = {identity.service: identity for identity in _identities(given.instances, manifests)}
    every = {service: named.get(service) or identity_of(service) for service in manifests}
    chosen = _chosen(given.services, manifests)
    standbys = _standbys(given.standbys, chosen, manifests)
    hosted = {name: every[name] for name in manifests if name in (*chosen, *standbys)}
    others = _identities(given.others, manifests)
    is_url = "://" in given.databases
    passwords = _Passwords(Path(given.secrets) if given.secrets else None, environ)
    return Settings(
        listen=given.listen,
        folder=Path(given.folder if is_url else given.databases or given.folder),
        peers=_peers(given.peers, (*manifests, EXCHANGE)),
        deployment=Deployment((*every.values(), *others), manifests, given.environment),
        hosted=hosted,
        approval_key=key,
        database_urls=_urls("databases", given.databases if is_url else "", hosted, passwords),
        redis_urls=_urls("redis", given.redis, hosted, passwords),
        standbys=standbys,
        is_ephemeral=given.durability == EPHEMERAL,
        environment=given.environment,
        log_level=given.log_level,
        tls=Path(given.tls) if given.tls else None,
        is_plain_text_allowed=given.plain_text == YES,
    )


@dataclass(frozen=True)
class _Passwords:
    """Where passwords are: in files that only this process may read, or in the environment."""

    folder: Path | None
    environ: Mapping[str, str]

    def of(self, store: str, identity: Identity) -> str:
        """Return the password of an instance; raises ValueError when there is none."""
        name, variable = f"{identity.instance_name}.{store}", f"PLIMSOLL_{store.upper()}_PASSWORD"
        if self.folder is not None and (file := self.folder / name).is_file():
            return file.read_text(encoding="utf-8").strip()
        if password := self.environ.get(variable):
            return password
        raise ValueError(
            f"{identity.instance_name} has no password for {store}, must have one: put it into "
            f"{name} in the folder of secrets, or into {variable}"
        )


def _urls(
    store: str, template: str, hosted: Mapping[str, Identity], passwords: _Passwords
) -> dict[str, str]:
    """Return each service's own URL; raises ValueError when one cannot be made."""
    if not template:
        return {}
    if store == "databases" and "{schema}" not in template:
        raise ValueError(
            "the URL of the databases has no {schema}, must have it: each service keeps its "
            "tables in a schema of its own"
        )
    found = {}
    for service, identity in hosted.items():
        user = identity.acl_user if store == "redis" else identity.instance_name
        url = template.replace("{schema}", identity.schema).replace("{user}", quote(user))
        if "{password}" in url:
            url = url.replace("{password}", quote(passwords.of(store, identity), safe=""))
        found[service] = url
    return found


def _chosen(text: str, manifests: Mapping[str, Manifest]) -> list[str]:
    """Return the services of a list like `orders,risk` in start order; all of an empty one."""
    chosen = [name for name in text.split(",") if name] or list(manifests)
    for name in chosen:
        _check_known(name, manifests)
    return [service for service in manifests if service in chosen]


def _standbys(
    text: str, chosen: Collection[str], manifests: Mapping[str, Manifest]
) -> tuple[str, ...]:
    """Return the services of a list that may be started here later; none of an empty one."""
    found = _chosen(text, manifests) if text else []
    if both := [name for name in found if name in chosen]:
        raise ValueError(
            f"{', '.join(both)} is among the services and the standbys, must be among one of them: "
            "a service stands by where it does not run"
        )
    return tuple(found)


def _peers(text: str, known: Collection[str]) -> dict[str, str]:
    """Return the addresses of a list like `orders=10.0.0.1:50050`, by service."""
    found = {}
    for pair in filter(None, text.split(",")):
        service, is_pair, address = pair.partition("=")
        if not (is_pair and all(map(ADDRESS.fullmatch, address.split("|")))):
            raise ValueError(f"peer {pair!r} must be like orders=10.0.0.1:50050: correct it")
        _check_known(service, known)
        found[service] = address
    return found


def _check_known(service: str, known: Collection[str]) -> None:
    if service not in known:
        raise ValueError(
            f"there is no service {service!r}, must be one of {', '.join(known)}: correct it"
        )


def _identities(text: str, manifests: Mapping[str, Manifest]) -> list[Identity]:
    """Return the instances of a list like `orders-LH,strategy-LH`."""
    found = []
    for name in filter(None, text.split(",")):
        owners = [s for s in manifests if name == s or name.startswith(f"{s}-")]
        if not owners:
            raise ValueError(
                f"instance {name!r} is of no service, must begin with one of "
                f"{', '.join(manifests)}: correct it"
            )
        found.append(identity_of(max(owners, key=len), name))
    return found


def _check_durability(durability: str, environment: str) -> None:
    if durability not in (DURABLE, EPHEMERAL):
        raise ValueError(f"durability is {durability!r}, must be {DURABLE} or {EPHEMERAL}")
    if durability == EPHEMERAL and environment in ALWAYS_DURABLE:
        raise ValueError(
            f"durability is {EPHEMERAL} in {environment}: what is answered there must outlive "
            f"the process; leave it {DURABLE}"
        )


def _check_plain_text(given: argparse.Namespace) -> None:
    """Refuse clear text where others would see it, unless that was asked for."""
    if given.plain_text not in (YES, NO):
        raise ValueError(f"plain text is {given.plain_text!r}, must be {YES} or {NO}")
    if given.tls:
        if given.plain_text == YES:
            raise ValueError(
                f"plain text is {YES} and TLS has the folder {given.tls}, must be one of the two: "
                "leave one out"
            )
        if not Path(given.tls).is_dir():
            raise ValueError(
                f"--tls is {given.tls}, must be a folder of certificates: correct it, or issue them"
            )
    elif given.plain_text == YES and given.environment in ALWAYS_SECURE:
        raise ValueError(
            f"plain text is {YES} in {given.environment}: what travels there must be secret; "
            "name a folder of certificates with --tls"
        )
    elif given.plain_text == NO and not LOOPBACK.fullmatch(given.listen):
        raise ValueError(
            f"--listen is {given.listen}, must be on this machine (127.0.0.1) while calls travel "
            f"in clear text: name a folder of certificates with --tls, or say --plain-text {YES}"
        )
