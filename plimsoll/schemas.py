"""The work of `plimsoll stores`: which history is meant, and what came of running it."""

from collections.abc import Callable

import typer

from plimsoll.failures import WrongUse
from runtime.stores import StoreError
from runtime.stores.migrating import History, SchemaError, State, downgrade, state_of, upgrade
from runtime.stores.migrating.writing import write_revision
from services.wiring import HISTORIES


def upgrade_schema(service: str, url: str, to: str) -> None:
    """Bring a service's database forward and say where it is now."""
    history = _history(service)
    _tell(service, _run(lambda: upgrade(url, history, to)))


def downgrade_schema(service: str, url: str, to: str) -> None:
    """Take a service's database back and say where it is now."""
    history = _history(service)
    _tell(service, _run(lambda: downgrade(url, history, to)))


def check_schema(service: str, url: str) -> None:
    """Say where a database is; end with status 1 unless the service starts on it."""
    history = _history(service)
    state = _run(lambda: state_of(url, history))
    _tell(service, state)
    if not state.is_current:
        typer.echo(f"run plimsoll stores upgrade --service {service} --url …", err=True)
        raise typer.Exit(1)


def draft_revision(service: str, message: str) -> None:
    """Write the next revision of a service's history."""
    history = _history(service)
    try:
        path = write_revision(history, message)
    except SchemaError as error:
        raise WrongUse(error.message) from error
    typer.echo(f"{path}: read it, add the checks, and try it on both engines")


def _history(service: str) -> History:
    if service not in HISTORIES:
        known = ", ".join(sorted(HISTORIES))
        raise WrongUse(f"no service {service!r} keeps tables, must be one of {known}")
    return HISTORIES[service]


def _run(work: Callable[[], State]) -> State:
    try:
        return work()
    except SchemaError as error:
        raise WrongUse(error.message) from error
    except StoreError as error:
        typer.echo(f"plimsoll: {error.message}", err=True)
        raise typer.Exit(1) from error


def _tell(service: str, state: State) -> None:
    newest = "the newest" if state.is_current else f"the newest is {state.head}"
    typer.echo(f"{service}: revision {state.revision}, {newest}; {state.tables} tables")
