"""What settings must not be, and what to do then: each rule raises ValueError."""

import argparse
from collections.abc import Collection
from pathlib import Path

from runtime.door import LOOPBACK
from runtime.guards.lanes import DEFAULT_ADMISSION, AdmissionSettings
from services.host.settings.places import place_of

DURABLE, EPHEMERAL = "durable", "ephemeral"
YES, NO = "yes", "no"
ALWAYS_DURABLE = ALWAYS_SECURE = ("staging", "production")
LEASE_S_MIN, LEASE_S_MAX = 1.0, 300.0
SLOTS_MIN, SLOTS_MAX = 32, 4_096  # Some are kept for urgent calls.
DRAIN_S_MAX = 300.0


def check_durability(durability: str, environment: str) -> None:
    """Refuse to keep in memory alone what others rely on."""
    if durability not in (DURABLE, EPHEMERAL):
        raise ValueError(f"durability is {durability!r}, must be {DURABLE} or {EPHEMERAL}")
    if durability == EPHEMERAL and environment in ALWAYS_DURABLE:
        raise ValueError(
            f"durability is {EPHEMERAL} in {environment}: what is answered there must outlive "
            f"the process; leave it {DURABLE}"
        )


def check_plain_text(given: argparse.Namespace) -> None:
    """Refuse clear text where others would see it, unless that was asked for."""
    if given.http:
        place_of(given.http)
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
    if not given.tls and given.plain_text == NO:
        for option in ("listen", "http"):
            _check_on_this_machine(option, getattr(given, option))


def _check_on_this_machine(option: str, address: str) -> None:
    if address and not LOOPBACK.fullmatch(address):
        raise ValueError(
            f"--{option} is {address}, must be on this machine (127.0.0.1) while calls travel "
            f"in clear text: name a folder of certificates with --tls, or say --plain-text {YES}"
        )


def check_duty(given: argparse.Namespace, standbys: Collection[str]) -> None:
    """Refuse what two processes cannot take turns by."""
    if given.announce:
        place_of(given.announce)
    if not (_is_number(given.lease) and LEASE_S_MIN <= float(given.lease) <= LEASE_S_MAX):
        raise ValueError(
            f"--lease is {given.lease!r}, must be {LEASE_S_MIN:.0f} to {LEASE_S_MAX:.0f} seconds: "
            "correct it"
        )
    if given.announce and standbys and not ("://" in given.databases and given.redis):
        raise ValueError(
            f"{', '.join(standbys)} stands by here on files of its own, must share its state with "
            "its home: give --databases and --redis the URLs of servers, or leave --standbys out"
        )


def admission_of(text: str) -> AdmissionSettings:
    """Return how many calls a service answers at a time; raises ValueError for what is none."""
    if not (text.isascii() and text.isdigit() and SLOTS_MIN <= int(text) <= SLOTS_MAX):
        raise ValueError(
            f"--admission is {text!r}, must be a whole number, {SLOTS_MIN} to {SLOTS_MAX}: "
            "correct it"
        )
    slots = int(text)
    return AdmissionSettings(slots=slots, waiting=min(slots, DEFAULT_ADMISSION.waiting))


def drain_s_of(text: str) -> float:
    """Return how long calls in flight may take at the end; raises ValueError for what is none."""
    if not (_is_number(text) and float(text) <= DRAIN_S_MAX):
        raise ValueError(
            f"--drain is {text!r}, must be seconds, 0 to {DRAIN_S_MAX:.0f}: correct it"
        )
    return float(text)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
