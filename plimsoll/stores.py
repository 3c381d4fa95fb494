"""`plimsoll stores`: what an administrator does to the schemas of services."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Service = Annotated[str, typer.Option(help="Whose schema: orders, portfolio, …")]
Url = Annotated[
    str,
    typer.Option(
        envvar="PLIMSOLL_STORE_URL",
        help="Its database: mysql://user:password@host:port/schema or sqlite:///path.",
    ),
]
To = Annotated[str, typer.Option(help="A revision, such as 0001; head and base name the ends.")]


@app.command()
def upgrade(service: Service, url: Url, to: To = "head") -> None:
    """Bring a service's database forward to a revision; every row stays."""
    from plimsoll.schemas import upgrade_schema

    upgrade_schema(service, url, to)


@app.command()
def downgrade(service: Service, url: Url, to: To) -> None:
    """Take a service's database back to a revision; base removes every table and row."""
    from plimsoll.schemas import downgrade_schema

    downgrade_schema(service, url, to)


@app.command()
def check(service: Service, url: Url) -> None:
    """Say at which revision a database is; exit 1 unless the service starts on it."""
    from plimsoll.schemas import check_schema

    check_schema(service, url)


@app.command()
def revision(
    service: Service, message: Annotated[str, typer.Option(help="What it changes.")]
) -> None:
    """For developers: draft the next revision from what tables.py has and the history lacks."""
    from plimsoll.schemas import draft_revision

    draft_revision(service, message)
