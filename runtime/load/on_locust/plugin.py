"""What a locustfile imports: `Flow`. With it Locust learns our options, shape and verdict.

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile

class Submit(Flow):
    \"\"\"Orders that trade at once.\"\"\"

    profile = Profile("SUBMIT", ..., traffic="loadtests.traffic.submit:Submit")
"""

import os
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
    if options.headless:  # Locust alone would be gone at once: Ctrl-C is what it ends orderly at.
        gevent.signal_handler(signal.SIGTERM, os.kill, os.getpid(), signal.SIGINT)
    shape = environment.shape_class = OneAfterAnother(environment)
    shape.runner = runner
    environment.available_shape_classes = {type(shape).__name__: shape}
    runner.register_message(station.RESULT, shape.hear)
    ending = Ending(environment, shape)
    hooks: Any = environment.events
    hooks.test_stop.add_listener(ending.conclude)
    hooks.quitting.add_listener(ending.decide)
    hooks.quit.add_listener(ending.say)
    if web_ui:
        show(web_ui, shape, ending)


_hooks: Any = events
_hooks.init_command_line_parser.add_listener(_add_options)
_hooks.init.add_listener(_set_up)
