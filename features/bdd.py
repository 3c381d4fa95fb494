"""pytest-bdd's `given`, `when`, `then`, with async steps run on the scenario's loop.

pytest-bdd calls an `async def` step without awaiting it: its assertions would never run
and the scenario would pass.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest_bdd

Function = Callable[..., Any]


def _awaiting(keyword: Callable[..., Function]) -> Callable[..., Function]:
    def step(pattern: Any, **options: Any) -> Function:
        # pytest-bdd registers the step in the frame of its caller: ours is one deeper.
        return lambda function: keyword(pattern, stacklevel=2, **options)(_on_loop(function))

    return step


def _on_loop(function: Function) -> Function:
    if not inspect.iscoroutinefunction(function):
        return function

    @wraps(function)
    def run(runner: Any, **arguments: Any) -> Any:
        return runner.run(function(**arguments))

    signature = inspect.signature(function)
    runner = inspect.Parameter("runner", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[runner, *signature.parameters.values()]
    )
    return run


given = _awaiting(pytest_bdd.given)
when = _awaiting(pytest_bdd.when)
then = _awaiting(pytest_bdd.then)
