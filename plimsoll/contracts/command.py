"""The commands of `plimsoll contracts`. Exit codes: 0 good, 1 fault found, 2 wrong use."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plimsoll.contracts import generation
from plimsoll.contracts.generation import Changes
from plimsoll.contracts.history import NothingToCompare, check_breaking
from plimsoll.contracts.reference import write_reference
from plimsoll.contracts.tools import CONTRACTS, ToolFailed, buf

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Check = Annotated[bool, typer.Option("--check", help="Change nothing; fail if something would.")]


@app.command()
def lint() -> None:
    """Check names, comments and rules of the contracts."""
    with faults():
        buf("lint")
    console.print("contracts: lint clean")


@app.command(name="format")
def format_(check: Check = False) -> None:
    """Lay the contracts out in the one format."""
    with faults():
        if check:
            buf("format", CONTRACTS, "--diff", "--exit-code")
        else:
            buf("format", CONTRACTS, "-w")
    console.print("contracts: format holds")


@app.command()
def breaking(
    against: Annotated[str, typer.Option(help="A commit; else main's last with contracts.")] = "",
) -> None:
    """Check that nothing breaks for those who use the contracts of an earlier commit."""
    with faults():
        try:
            base = check_breaking(against)
        except NothingToCompare as nothing:
            console.print(f"contracts: not compared, {nothing}")
            return
    console.print(f"contracts: break nothing since {base[:12]}")


@app.command()
def generate(
    areas: Annotated[list[str] | None, typer.Argument(help="Such as `orders`; else all.")] = None,
    check: Check = False,
) -> None:
    """Generate messages, their types and ports into contracts/python."""
    with faults():
        changes = generation.generate(areas or (), check_only=check)
    report(changes, "generated code", check=check, remedy="plimsoll contracts generate")


@contextmanager
def faults() -> Iterator[None]:
    """Print what a tool found and leave with exit code 1."""
    try:
        yield
    except ToolFailed as failed:
        errors.print(str(failed), markup=False)
        raise typer.Exit(1) from None


def report(changes: Changes, what: str, *, check: bool, remedy: str) -> None:
    """Name the files that changed; when only checking, leave with exit code 1 for any."""
    if not changes:
        console.print(f"contracts: {what} up to date")
        return
    out = errors if check else console
    _list(out, "stale" if check else "wrote", changes.written)
    _list(out, "not generated" if check else "removed", changes.removed)
    if check:
        out.print(f"contracts: {what} is stale, run `{remedy}` and commit")
        raise typer.Exit(1)


def _list(out: Console, verb: str, paths: Sequence[Path]) -> None:
    for path in paths:
        out.print(f"{verb} {path}", markup=False)


@app.command()
def docs(check: Check = False) -> None:
    """Write the reference under docs/contracts."""
    with faults():
        changes = write_reference(check_only=check)
    report(changes, "reference", check=check, remedy="plimsoll contracts docs")


@app.command(name="check")
def check_() -> None:
    """Run every check of the contracts: lint, format, generated code, reference, breaking."""
    failed = [name for name, command in CHECKS.items() if not _passes(command)]
    if failed:
        errors.print(f"contracts: failed {', '.join(failed)}")
        raise typer.Exit(1)


CHECKS: dict[str, Callable[[], None]] = {
    "lint": lint,
    "format": lambda: format_(check=True),
    "generate": lambda: generate(check=True),
    "docs": lambda: docs(check=True),
    "breaking": lambda: breaking(against=""),
}


def _passes(command: Callable[[], None]) -> bool:
    try:
        command()
    except typer.Exit:
        return False
    return True
