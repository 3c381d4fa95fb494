"""The load shape: every profile in turn, a user for each of its engines."""

import logging
import math
from typing import Any

from locust import LoadTestShape, User
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner

from runtime.load.on_locust import station
from runtime.load.on_locust.flow import Flow
from runtime.load.on_locust.options import Asked, WrongUse
from runtime.load.on_locust.tour import Leg, Tour
from runtime.load.plan import Plan

Tick = tuple[int, float, list[type[User]] | None]
log = logging.getLogger(__name__)


class OneAfterAnother(LoadTestShape):
    """Begins the next leg when the one before is over, and ends the test after the last."""

    abstract = True  # Made with its environment by the plugin, not by Locust.

    def __init__(self, environment: Environment) -> None:
        """Stand idle."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._environment = environment
        self._workers: list[str] = []  # Of the leg, by part.
        self._tick: Tick = (0, 1.0, None)
        self.tour: Tour | None = None  # The last one, which may be under way.
        self.is_over = True
        self.wrong = ""  # Why there is none.

    def tick(self) -> Tick | None:
        """Return the users that Locust is to run now; None ends the test."""
        if self.is_over and not self._begin():
            return None
        assert self.tour is not None
        if not set(self._workers) <= set(self._connected()):
            self.tour.lose("a worker was lost")
            return None  # Locust itself would soon deal users out anew, to any profile.
        self.tour.check_time()
        if self.tour.leg is not None:
            return self._tick
        # Locust stops the users of one leg before it starts those of the next.
        if self._tick[0] or (self.runner and self.runner.user_count):
            self._tick = (0, 1.0, None)
            return self._tick
        self._workers = self._connected()
        leg = self.tour.begin(len(self._workers)) if self._workers else None
        if leg is None:
            return None if self._workers else self._tick
        return self._order(leg)

    def hear(self, environment: Environment, msg: Message, **_: object) -> None:
        """Take what a worker tells."""
        if self.tour is not None:
            self.tour.hear(msg.data["leg"], msg.data["part"], msg.data["line"])

    def _begin(self) -> bool:
        self.tour, self.wrong, self._tick = None, "", (0, 1.0, None)
        try:
            asked = Asked.of(vars(self._environment.parsed_options))
            self.tour = Tour(asked, [flow.profile for flow in chosen(self._environment)])
        except WrongUse as error:
            self.wrong = str(error)
            log.error(error)
            return False
        self.is_over = False
        return True

    def _order(self, leg: Leg) -> Tick:
        assert self.runner is not None
        assert self.tour is not None
        user = next(f for f in chosen(self._environment) if f.profile == leg.profile)
        log.info("%s at %gx, leg %d", leg.profile.name, leg.plans[0].multiple, leg.number)
        count = len(self._workers)
        for place, worker in enumerate(self._workers):
            orders = [self._order_of(plan, leg, user) for plan in leg.plans[place::count]]
            self.runner.send_message(station.ORDER, {"orders": orders}, worker)
        # As many on each worker, for Locust says which gets them; one without an order waits.
        self._tick = (count * math.ceil(len(leg.plans) / count), 100.0, [user])
        return self._tick

    def _order_of(self, plan: Plan, leg: Leg, user: type[Flow]) -> station.Order:
        assert self.tour is not None
        return station.Order(
            leg=leg.number,
            part=plan.part,
            user=user.__name__,
            plan=plan.to_json(),
            metrics=list(self.tour.asked.metrics) if plan.part == 0 else [],
        )

    def _connected(self) -> list[str]:
        if not isinstance(self.runner, MasterRunner):
            return ["local"]
        workers = self.runner.clients
        return sorted(w.id for w in (*workers.ready, *workers.running, *workers.spawning))


def chosen(environment: Environment) -> list[type[Flow]]:
    """Return the flows to run, by name: those asked for, else the default ones, if there are any.

    Raises WrongUse if there are none.
    """
    options: Any = environment.parsed_options
    tags, left_out = set(options.tags or ()), set(options.exclude_tags or ())
    flows = [user for user in environment.user_classes if issubclass(user, Flow)]
    if not tags and not options.user_classes:
        flows = [flow for flow in flows if flow.is_default] or flows
    found = [
        flow
        for flow in sorted(flows, key=lambda flow: flow.__name__)
        if (flow.tags & tags or not tags) and not flow.tags & left_out
    ]
    if not found:
        raise WrongUse("no profile has these tags: `locust --list` names all")
    return found
