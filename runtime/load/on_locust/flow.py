"""A profile as a Locust user: each of its users has an engine do the work."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from gevent import GreenletExit
from locust import User, constant, tag

from runtime.load import served
from runtime.load.on_locust import station
from runtime.load.on_locust.process import FINAL, Engine, Line
from runtime.load.on_locust.statistics import add_failures, add_second
from runtime.load.plan import Plan, Profile, Target


class Flow(User):
    """One profile: does what the station has for it, then waits for more.

    A subclass is made by its `profile` alone. Its tags are the profile's name and its `labels`.
    """

    abstract = True
    wait_time = constant(0.2)
    profile: ClassVar[Profile]
    labels: ClassVar[tuple[str, ...]] = ()
    is_default: ClassVar[bool] = True  # Whether it runs when no user and no tag is named.
    tags: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        """Give every profile a task of its own, so that --tags chooses among them."""
        super().__init_subclass__()
        if "profile" in vars(cls):
            cls.tags = frozenset({cls.profile.name.lower(), *cls.labels})
            cls.tasks = [tag(*sorted(cls.tags))(_task(cls.profile.name))]

    def measure(self) -> None:
        """Run an engine, if there is a plan for this user, and tell what came of it."""
        order = station.take(type(self).__name__)
        if order is None:
            return
        plan = Plan.from_json(order["plan"])
        engine = Engine(plan)
        last: Line = {"kind": "void", "reason": "stopped before its end"}
        try:
            last = self._follow(engine, pages(order["metrics"], plan.target))
        except OSError as error:  # Of a page of metrics.
            last = {"kind": "wrong", "message": f"--metrics: {error}"}
        except GreenletExit:  # Locust stops its users: the test is stopped, or Locust ends.
            last = engine.end()
            raise
        finally:
            engine.close()
            station.tell(self.environment, order, last)

    def _follow(self, engine: Engine, read: Sequence[served.Page]) -> Line:
        stats, before = self.environment.stats, served.read(read)
        is_measuring = False
        for line in engine.lines():
            if line["kind"] == "progress":
                if line["phase"] == "measure" and not is_measuring:
                    is_measuring, before = True, served.read(read)
                if line["phase"] in ("measure", "finish"):
                    add_second(stats, self.profile.name, line)
            elif line["kind"] in FINAL:
                break
        if line["kind"] == "measured":
            add_failures(stats, self.profile.name, line)
            if read:
                line["served"] = served.between(before, served.read(read)).to_object()
        return line


def pages(metrics: Sequence[str], target: Target) -> list[served.Page]:
    """Return the pages of "http://..." or, shown to the harness alone, "orders=https://..."."""
    found = []
    for entry in metrics:
        service, _, url = entry.rpartition("=")
        if not url.startswith("https:"):
            found.append(served.Page(url))
            continue
        from runtime.tls import ClientTls, TlsFolder

        tls = ClientTls(TlsFolder(Path(target.certificates), target.environment), "harness")
        found.append(served.Page(url, tls.http_context(), tls.server_name(service)))
    return found


def _task(name: str) -> Callable[[Flow], None]:
    def task(user: Flow) -> None:
        user.measure()

    task.__name__ = name
    return task
