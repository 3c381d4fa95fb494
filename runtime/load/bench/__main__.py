"""Print what one engine offers beside Locust users, in one run; exit 1 if the limit is missed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from runtime.load.measured import Measured
from runtime.load.plan import Gate, Plan, Profile, Target

RATIO_MIN = 1.5
ROUNDS, SECONDS = 3, 4
MANY_USERS = 100
RATE = 60_000.0  # More than anybody offers: the engine drops what it cannot send.
ECHO = Profile(
    "ECHO", "one echo", RATE, (Gate("echo", 100.0),), "runtime.load.bench.echoes:Echoes", "constant"
)


@dataclass(frozen=True)
class Figures:
    """What one way to offer load came to in one round."""

    per_second: float
    cpu_us: float  # Of the caller's process, for one call.
    failed: int


def main() -> int:
    """Let the ways take turns, so that what else the machine does meets them all."""
    ways = {
        "one Locust user": lambda address: locust(address, 1),
        f"{MANY_USERS} Locust users": lambda address: locust(address, MANY_USERS),
        "one engine": engine,
    }
    found: dict[str, list[Figures]] = {name: [] for name in ways}
    with lean_server() as address:
        for _ in range(ROUNDS):
            for name, offer in ways.items():
                found[name].append(offer(address))
    _say("unary gRPC calls, same server, medians", "calls/s", "CPU µs", "failed")
    for name, rounds in found.items():
        failed = str(sum(one.failed for one in rounds))
        _say(
            f"  {name}", f"{_rate(rounds):,.0f}", f"{median(r.cpu_us for r in rounds):.0f}", failed
        )
    engine_rate = _rate(found.pop("one engine"))
    ratios = [engine_rate / _rate(rounds) for rounds in found.values()]
    for name, ratio in zip(found, ratios, strict=True):
        _say(f"  one engine / {name}", f"{ratio:.2f}", "", "")
    if min(ratios) < RATIO_MIN:
        _say(f"MISSED: an engine offers {min(ratios):.2f} ×, must be {RATIO_MIN} ×", "", "", "")
    return int(min(ratios) < RATIO_MIN)


@contextmanager
def lean_server() -> Iterator[str]:
    """Yield the address of a server that is faster than all who call it."""
    command = [sys.executable, "-m", "runtime.load.bench.server"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def locust(address: str, users: int) -> Figures:
    """Return what a Locust process of so many users offers."""
    file = Path(__file__).with_name("locustfile.py")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(file), "--headless", "--only-summary"),
            *("-u", str(users), "-r", str(users), "-t", f"{SECONDS}s", "--host", address),
            *("--reset-stats", "--stop-timeout", "2", "--loglevel", "ERROR"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (line for line in ran.stdout.splitlines() if line.startswith("{"))
    return Figures(**json.loads(line))


def engine(address: str) -> Figures:
    """Return what one engine offers when it is asked for more than it can."""
    plan = Plan(
        *(ECHO, Target({"*": address})),
        multiple=1.0,
        warmup_s=1.0,
        duration_s=SECONDS,
        in_flight_max=MANY_USERS,
    )
    with subprocess.Popen(
        [sys.executable, "-m", "runtime.load.engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(plan.to_json() + "\n")
        process.stdin.flush()
        last = json.loads(process.stdout.readlines()[-1])
    measured = Measured.from_object(last)
    echoes = measured.series["echo"]
    per_second = (echoes.ended - echoes.failed) / SECONDS
    return Figures(per_second, measured.cpu_share / per_second * 1e6, echoes.failed)


def _rate(rounds: list[Figures]) -> float:
    return median(one.per_second for one in rounds)


def _say(text: str, *figures: str) -> None:
    sys.stdout.write(f"{text:<44}" + "".join(f"{one:>10}" for one in figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
