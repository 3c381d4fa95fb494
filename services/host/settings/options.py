"""What a process of the platform is told, by options or by the environment.

    PLIMSOLL_APPROVAL_KEY   signs what risk approves; at least 32
                            bytes; or the content of SECRETS/approval
    PLIMSOLL_DEVICE         which device of a topology this   --device     none: the options
                            is; it says where to listen, what            below say all that
                            to host, where the others are
    PLIMSOLL_TOPOLOGY       its name, or its file             --topology   none
    PLIMSOLL_HOSTS          where devices are that are not    --hosts      none
                            reached by their own names:
                            compute=10.0.0.1,state=10.0.0.2:6050/6080
    PLIMSOLL_LISTEN         address to listen on              --listen     127.0.0.1:50050
    PLIMSOLL_HTTP           address for JSON over HTTP,       --http       127.0.0.1:8050, or
                            /metrics and /healthz                        none beside a --listen
    PLIMSOLL_FOLDER         where local files go              --folder     data
    PLIMSOLL_DATABASES      folder of the SQLite files, or    --databases  the folder
                            mysql+aiomysql://{user}:{password}@host/{schema}
    PLIMSOLL_REDIS          redis://{user}:{password}@host    --redis      a bundled one
    PLIMSOLL_SECRETS        folder of password files          --secrets    none
    PLIMSOLL_INSTANCES      instances with names of their own --instances  none: the plain ones
    PLIMSOLL_OTHERS         further instances elsewhere       --others     none
    PLIMSOLL_SERVICES       what to host here: orders,risk    --services   all (or none)
    PLIMSOLL_STANDBYS       what else may be started here     --standbys   none
    PLIMSOLL_ANNOUNCE       where others reach this process,  --announce   none: it stays put
                            told to discovery: 10.0.0.2:50050
                            or, with HTTP, 10.0.0.2:50050/8050
    PLIMSOLL_LEASE          seconds that discovery waits for  --lease      15
                            a process that is silent
    PLIMSOLL_PEERS          addresses of the others:          --peers      none
                            exchange=10.0.0.9:1,risk=10.0.0.2:50050
                            orders=10.0.0.3:50050/8050 also speaks
                            HTTP; of discovery also its standbys,
                            discovery=10.0.0.4:50050|10.0.0.5:50050
    PLIMSOLL_TLS            folder of certificates: ca.pem,   --tls        none: clear text
                            and <instance>.pem and .key of each
    PLIMSOLL_PLAIN_TEXT     yes: answer others in clear text  --plain-text no
    PLIMSOLL_REST_SHARE     percentage of calls that goes by  --rest-share none: all by gRPC,
                            HTTP to peers that speak it:                 HTTP when that is down
                            orders=20,risk=100
    PLIMSOLL_ADMISSION      calls that each service answers   --admission  256
                            at a time; each of its RPCs is
                            bounded by its contract's load
    PLIMSOLL_DRAIN          seconds that calls in flight may  --drain      10
                            take when the process ends
    PLIMSOLL_DURABILITY     durable, or ephemeral: in memory  --durability durable
    PLIMSOLL_ENVIRONMENT    where this runs                   --environment local
    PLIMSOLL_LOG_LEVEL      debug, info, warning or error     --log-level  warning

{user}, {password} and {schema} stand for each instance's own. A password is the content of
SECRETS/<instance>.redis or .databases, or PLIMSOLL_REDIS_PASSWORD, PLIMSOLL_DATABASES_PASSWORD.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runtime.fallback import parsed_shares
from runtime.guards.lanes import DEFAULT_ADMISSION, AdmissionSettings
from runtime.naming import Identity, identity_of
from runtime.stores.deployment import Deployment, Manifest
from services.host.settings.lists import chosen_of, identities_of, peers_of, standbys_of
from services.host.settings.placement import default_http, placed
from services.host.settings.places import place_of
from services.host.settings.rules import (
    DURABLE,
    EPHEMERAL,
    NO,
    YES,
    admission_of,
    check_durability,
    check_duty,
    check_plain_text,
    drain_s_of,
)
from services.host.settings.store_urls import Passwords, approval_key_in, urls_of

EXCHANGE = "exchange"  # The venue: it runs elsewhere, always.
KEY_BYTES_MIN = 32
LOG_LEVELS = ("debug", "info", "warning", "error")
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
    "device": "",
    "topology": "",
    "hosts": "",
    "http": "",
    "announce": "",
    "lease": "15",
    "peers": "",
    "tls": "",
    "plain_text": NO,
    "rest_share": "",
    "admission": "256",
    "drain": "10",
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
    announce: str = ""  # Where others reach it: then discovery says whose turn each service is.
    announce_http: str = ""  # The same for HTTP.
    lease_s: float = 15.0
    is_ephemeral: bool = False  # Whether all state is in memory, gone with the process.
    environment: str = "local"
    log_level: str = "warning"
    tls: Path | None = None  # The folder of certificates; None: clear text.
    is_plain_text_allowed: bool = False  # Also beyond this machine.
    device: str = "platform"  # What the process is called in metrics and logs.
    admission: AdmissionSettings = DEFAULT_ADMISSION
    drain_s: float = 10.0  # So long calls in flight may take when the process ends.
    rest_shares: Mapping[str, int] = field(default_factory=dict)  # In percent, by service.
    http: str = ""  # Where to answer JSON and pages; "": nowhere.

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
    for option in DEFAULTS:
        value = environ.get(f"PLIMSOLL_{option.upper()}")
        parser.add_argument(f"--{option.replace('_', '-')}", default=value)
    given = parser.parse_args(arguments)
    try:
        _complete(given, manifests)
        return _settings(given, environ, manifests)
    except ValueError as error:
        parser.error(str(error))


def _complete(given: argparse.Namespace, manifests: Mapping[str, Manifest]) -> None:
    """Fill in what nobody has said: by the topology, if one is named, else by default."""
    if bool(given.device) != bool(given.topology):
        raise ValueError(
            f"device is {given.device or ''!r} and topology is {given.topology or ''!r}, must be "
            "both or neither: name a device and the topology that has it"
        )
    known = {}
    if given.topology:
        known = placed(given.topology, given.device, given.hosts or "", list(manifests))
        known["peers"] += f",{given.peers or ''}"
        given.peers = None  # What is said of one peer takes nothing from the others.
    elif given.listen is None:
        known["http"] = default_http(list(manifests))
    for option, default in DEFAULTS.items():
        if getattr(given, option) is None:
            setattr(given, option, known.get(option, default))


def _settings(
    given: argparse.Namespace, environ: Mapping[str, str], manifests: Mapping[str, Manifest]
) -> Settings:
    key = environ.get("PLIMSOLL_APPROVAL_KEY", "").encode() or approval_key_in(given.secrets)
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(
            f"PLIMSOLL_APPROVAL_KEY has {len(key)} bytes, must have at least {KEY_BYTES_MIN}: "
            "set it to one secret for all services"
        )
    check_durability(given.durability, given.environment)
    if given.log_level.lower() not in LOG_LEVELS:
        raise ValueError(
            f"log level is {given.log_level!r}, must be one of {', '.join(LOG_LEVELS)}"
        )
    check_plain_text(given)
    named = {identity.service: identity for identity in identities_of(given.instances, manifests)}
    every = {service: named.get(service) or identity_of(service) for service in manifests}
    chosen = chosen_of(given.services, manifests)
    standbys = standbys_of(given.standbys, chosen, manifests)
    hosted = {name: every[name] for name in manifests if name in (*chosen, *standbys)}
    check_duty(given, standbys)
    announced = place_of(given.announce) if given.announce else None
    others = identities_of(given.others, manifests)
    is_url = "://" in given.databases
    passwords = Passwords(Path(given.secrets) if given.secrets else None, environ)
    return Settings(
        listen=given.listen,
        folder=Path(given.folder if is_url else given.databases or given.folder),
        peers=peers_of(given.peers, (*manifests, EXCHANGE)),
        deployment=Deployment((*every.values(), *others), manifests, given.environment),
        hosted=hosted,
        approval_key=key,
        database_urls=urls_of("databases", given.databases if is_url else "", hosted, passwords),
        redis_urls=urls_of("redis", given.redis, hosted, passwords),
        standbys=standbys,
        announce=announced.address if announced else "",
        announce_http=announced.http_address if announced else "",
        lease_s=float(given.lease),
        is_ephemeral=given.durability == EPHEMERAL,
        environment=given.environment,
        log_level=given.log_level,
        tls=Path(given.tls) if given.tls else None,
        is_plain_text_allowed=given.plain_text == YES,
        device=given.device or "platform",
        http=given.http,
        admission=admission_of(given.admission),
        drain_s=drain_s_of(given.drain),
        rest_shares=parsed_shares(given.rest_share, (*manifests, EXCHANGE)),
    )
