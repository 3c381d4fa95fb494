"""Plants a bug in the code that runs: a few characters of one function are others for a while."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType


class PlantLost(Exception):
    """What a plant changes is no more as it was: the plant must be written anew."""


@dataclass(frozen=True)
class Edit:
    """Other words in one function or method, which must have the former ones exactly once.

    `where` is a module and a qualified name in it, as in "services.risk.book:Book.take".
    """

    where: str
    before: str
    after: str


@dataclass(frozen=True)
class Plant:
    """A bug that could have been made, and who must find it."""

    name: str
    confession: str  # What is wrong, as the engineer who made it would say.
    edits: tuple[Edit, ...]
    experiment: str  # Of chaos/: the one that makes it matter.
    check: str  # The one that must find it there.
    seeds: int = 1  # It is found by one of the seeds from 1 to this.

    @contextmanager
    def sown(self) -> Iterator[None]:
        """Let the bug be there while the block runs; raises PlantLost where it cannot."""
        with ExitStack() as until:
            for edit in self.edits:
                until.enter_context(_edited(edit))
            yield


@contextmanager
def _edited(edit: Edit) -> Iterator[None]:
    function, code = rewritten(edit)
    former, function.__code__ = function.__code__, code
    try:
        yield  # Whoever holds the function, by whatever name, calls the new code.
    finally:
        function.__code__ = former


def rewritten(edit: Edit) -> tuple[FunctionType, CodeType]:
    """Return the function that an edit is about, and what it would run; raises PlantLost."""
    module_name, _, name = edit.where.partition(":")
    module = importlib.import_module(module_name)
    function, source = _function(module, name, edit), inspect.getsource(module)
    own = _segment(source, function)
    if own.count(edit.before) != 1:
        raise PlantLost(
            f"{edit.where} has {edit.before!r} {own.count(edit.before)} times, must have it once: "
            "plant the same bug in the code as it is now"
        )
    text = source.replace(own, own.replace(edit.before, edit.after))
    return function, _code_of(compile(text, module.__file__ or "", "exec"), function)


def _function(module: ModuleType, name: str, edit: Edit) -> FunctionType:
    found: object = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part, None)
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    found = inspect.unwrap(found) if callable(found) else found
    if not isinstance(found, FunctionType):
        raise PlantLost(f"{edit.where} is no function: plant the same bug where it is now")
    return found


def _segment(source: str, function: FunctionType) -> str:
    """Return the text of a function, its decorators left out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first == function.__code__.co_firstlineno:
                lines = source.splitlines(keepends=True)
                return "".join(lines[node.lineno - 1 : node.end_lineno])
    raise PlantLost(f"{function.__qualname__} has no source")


def _code_of(code: CodeType, function: FunctionType) -> CodeType:
    found = [one for one in _all_codes(code) if one.co_qualname == function.__qualname__]
    if len(found) != 1:
        raise PlantLost(f"{function.__qualname__} is there {len(found)} times, must be there once")
    return found[0]


def _all_codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_codes(constant)
