"""`plimsoll topology`: where services run, as files say it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
NAME_HELP = "One of deploy/topologies/, or the path of a file."


@app.command()
def show(
    name: Annotated[str, typer.Argument(help=f"{NAME_HELP} Default: a list of all.")] = "",
    json: Json = False,
) -> None:
    """Show devices, links and channels of a topology; without a name, list what there is."""
    from plimsoll.devices import run_list, run_show

    raise typer.Exit(run_show(name, as_json=json) if name else run_list(as_json=json))


@app.command()
def check(file: Annotated[str, typer.Argument(help="A file that describes a topology.")]) -> None:
    """Say all that is wrong with a file, each with its line; exit 2 unless it is right."""
    from plimsoll.devices import run_check

    raise typer.Exit(run_check(file))


@app.command()
def draw(
    name: Annotated[str, typer.Argument(help=NAME_HELP)],
    out: Annotated[
        Path | None, typer.Option(help="Where the picture goes. Default: NAME.svg, here.")
    ] = None,
) -> None:
    """Draw a topology: devices with their services, and the links that calls take."""
    from plimsoll.devices import run_draw

    raise typer.Exit(run_draw(name, out))
