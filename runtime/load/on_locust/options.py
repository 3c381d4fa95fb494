"""What is asked of a run: options of Locust's own command line, config file and web form."""

import os
from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from runtime.load.plan import Plan, Profile, Target

ARRIVALS = ("constant", "poisson", "burst", "step", "ramp")
UNITS_S = {"s": 1, "m": 60, "h": 3600}


class WrongUse(Exception):
    """What was asked cannot be done; says what to ask instead."""


@dataclass(frozen=True)
class Asked:
    """One run, as it was asked for."""

    target: Target
    multiple: float = 2.0
    arrivals: str = ""  # "": as the profile says.
    duration_s: float = 60.0
    warmup_s: float = 10.0
    seed: int = 1
    repeats: int = 3
    is_knee_wanted: bool = False
    report_folder: str = ""
    metrics: tuple[str, ...] = ()  # Pages of the servers, read before and after.

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Asked":
        """Return what parsed options ask for. Raises WrongUse if nothing can be made of them."""
        asked = cls(
            target=Target(_addresses(given), given["certificates"], given["environment"]),
            multiple=float(given["multiple"]),
            arrivals=given["arrivals"] or "",
            duration_s=seconds(str(given["duration"])),
            warmup_s=seconds(str(given["warm_up"])),
            seed=int(given["load_seed"]),
            repeats=int(given["repeats"]),
            is_knee_wanted=bool(given["find_knee"]),
            report_folder=given["report_folder"] or "",
            metrics=tuple(_parts(given["metrics"] or "")),
        )
        asked.check()
        return asked

    def plan(self, profile: Profile, multiple: float, seed: int) -> Plan:
        """Return what one engine would do alone."""
        return Plan(
            profile=replace(profile, arrivals=self.arrivals or profile.arrivals),
            target=self.target,
            multiple=multiple,
            warmup_s=self.warmup_s,
            duration_s=self.duration_s,
            seed=seed,
        )

    def check(self) -> None:
        """Raise WrongUse when this is no run."""
        for name, value in (
            ("--multiple", self.multiple),
            ("--duration", self.duration_s),
            ("--repeats", self.repeats),
        ):
            if value <= 0:
                raise WrongUse(f"{name} is {value:g}, must be more than 0")
        if self.warmup_s < 0:
            raise WrongUse(f"--warm-up is {self.warmup_s:g}, must be at least 0")
        if self.arrivals and self.arrivals not in ARRIVALS:
            raise WrongUse(f'--arrivals is "{self.arrivals}", must be one of {", ".join(ARRIVALS)}')
        folder = self.target.certificates
        if folder and not os.path.isdir(folder):
            raise WrongUse(f"--certificates is {folder}, must be a folder: there is none")


OPTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "--targets",
        "Where services are: orders=HOST:PORT,risk=HOST:PORT; --host for any other",
        {"default": "", "metavar": "<list>"},
    ),
    (
        "--certificates",
        "Folder of the callers' certificates; without one, clear text",
        {"default": "", "metavar": "<folder>"},
    ),
    (
        "--environment",
        "The environment that the servers' certificates name",
        {"default": "demo", "metavar": "<name>"},
    ),
    (
        "--multiple",
        "What is offered, as a multiple of each target",
        {"default": 2.0, "type": float, "metavar": "<number>"},
    ),
    (
        "--arrivals",
        f"How units arrive, instead of as the profile says: {', '.join(ARRIVALS)}",
        {"default": "", "choices": ("", *ARRIVALS)},
    ),
    ("--duration", "Measured time of each repeat: 60, 90s, 10m", {"default": "60"}),
    ("--warm-up", "Time of load before it is measured", {"default": "10"}),
    (
        "--repeats",
        "Runs of each profile; the worst counts",
        {"default": 3, "type": int, "metavar": "<int>"},
    ),
    (
        "--find-knee",
        "Afterwards search the multiple where the p99 breaks away",
        {"default": False, "action": "store_true"},
    ),
    (
        "--load-seed",
        "Seed of when units arrive and of what they are",
        {"default": 1, "type": int, "metavar": "<int>"},
    ),
    (
        "--metrics",
        "Pages of the servers' own figures: http://HOST:PORT/metrics,...",
        {"default": "", "metavar": "<list>"},
    ),
    (
        "--report-folder",
        "Where to write the report (HTML, JSON, CSV, JUnit)",
        {"default": "", "metavar": "<folder>"},
    ),
)


def add_options(parser: Any) -> None:
    """Add these to Locust's command line, where LOCUST_MULTIPLE and the like give them, too."""
    group = parser.add_argument_group("Load options")
    for name, text, more in OPTIONS:
        if name in ("--duration", "--warm-up"):
            more = {**more, "type": timespan, "metavar": "<time>"}
        variable = "LOCUST_" + name.lstrip("-").replace("-", "_").upper()
        group.add_argument(name, help=text, env_var=variable, **more)


def timespan(text: str) -> str:
    """Return `text` if it is a time span, for a parser."""
    try:
        seconds(text)
    except WrongUse as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def seconds(text: str) -> float:
    """Return the seconds of "90", "90s", "10m" or "1h". Raises WrongUse for anything else."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS_S else (text, "s")
    try:
        return float(number) * UNITS_S[unit]
    except ValueError:
        raise WrongUse(f'"{text}" is no time span, must be like 90, 90s, 10m or 1h') from None


def _addresses(given: Mapping[str, Any]) -> dict[str, str]:
    found = {"*": str(given["host"])} if given.get("host") else {}
    for entry in _parts(given["targets"] or ""):
        service, equals, address = entry.partition("=")
        host, colon, port = address.rpartition(":")
        if not (service and equals and host and colon and port.isdigit()):
            raise WrongUse(f'--targets has "{entry}", must be like orders=127.0.0.1:50050')
        found[service] = address
    if not found:
        raise WrongUse("no address: give --targets orders=HOST:PORT,... or --host HOST:PORT")
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
