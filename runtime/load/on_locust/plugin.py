"""What a locustfile imports: `Flow`. With it Locust learns our options, shape and verdict.

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile

class Submit(Flow):
    \"\"\"Orders that trade at once.\"\"\"

    profile = Profile("SUBMIT", ..., traffic="loadtests.traffic.submit:Submit")
"""

import logging
import signal
import sys
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner
from locust.web import WebUI

from runtime.load.on_locust import station
from runtime.load.on_locust.ending import Ending
from runtime.load.on_locust.flow import Flow
from runtime.load.on_locust.options import Asked, WrongUse, add_options
from runtime.load.on_locust.shape import OneAfterAnother, chosen
from runtime.load.on_locust.tab import show
from runtime.load.verdict import WRONG_USE

__all__ = ["Flow"]
log = logging.getLogger(__name__)


def _warn(environment: Environment, **_: Any) -> None:
    if environment.shape_class is None:  # In the web UI, --class-picker offers to have none.
        log.error("no profile is measured without the shape %s", OneAfterAnother.__name__)


def _interrupt() -> None:
    """Have Locust end in order.

    By itself it is gone at once at SIGTERM, and SIGINT is raised in whatever greenlet runs just
    then, which may have its own idea of what to do with it. This raises it where Locust waits.
    """
    gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())


def _add_options(parser: Any, **_: Any) -> None:
    add_options(parser)


def _set_up(environment: Environment, runner: Runner, web_ui: WebUI | None, **_: Any) -> None:
    if not isinstance(runner, MasterRunner):
        runner.register_message(station.ORDER, station.receive)
    if isinstance(runner, WorkerRunner):
        environment.process_exit_code = 0  # Whoever asked for the run judges it.
        return
    options: Any = environment.parsed_options
    try:
        if not options.class_picker:  # Whoever picks them in the web UI must see all.
            environment.user_classes = [*chosen(environment)]
        Asked.of(vars(options))
    except WrongUse as error:
        if options.headless:
            sys.stderr.write(f"locust: error: {error}\n")
            sys.exit(WRONG_USE)
    if options.headless:
        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, _interrupt)
    shape = environment.shape_class = OneAfterAnother(environment)
    shape.runner = runner
    environment.available_shape_classes = {type(shape).__name__: shape}
    runner.register_message(station.RESULT, shape.hear)
    ending = Ending(environment, shape)
    hooks: Any = environment.events
    hooks.test_start.add_listener(_warn)
    hooks.test_stop.add_listener(ending.conclude)
    hooks.quitting.add_listener(ending.decide)
    hooks.quit.add_listener(ending.say)
    if web_ui:
        show(web_ui, shape, ending)


_hooks: Any = events
_hooks.init_command_line_parser.add_listener(_add_options)
_hooks.init.add_listener(_set_up)
