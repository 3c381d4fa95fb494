"""`plimsoll`: trial, simulate, check, trace, up, load, nightly, stores, topology, contracts.

Each imports what it needs.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from plimsoll.contracts import app as contracts
from plimsoll.stores import app as stores_app
from plimsoll.topology import app as topology_app

app = typer.Typer(
    help="Trade real market history through the platform, and judge what happened.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(contracts, name="contracts", help="Lint, compare, generate and document contracts.")
app.add_typer(stores_app, name="stores", help="Upgrade, downgrade and check schemas of services.")
app.add_typer(topology_app, name="topology", help="Show, check and draw where services run.")

World = Annotated[
    str,
    typer.Option(help="simulated (virtual time), embedded (real time), processes (one a device)."),
]
Topology = Annotated[str, typer.Option(help="The devices: a name, or a file of that form.")]
Stores = Annotated[
    str, typer.Option(help="embedded (the default), local or containers: what keeps the state.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Profiles = Annotated[
    list[str] | None, typer.Option("--profile", help="A file of loadtests/; may be repeated.")
]
Experiment = Annotated[str, typer.Argument(help="An experiment: a file of chaos/.")]


@app.command()
def trial(
    experiment: Experiment = "trading_day",
    world: World = "embedded",
    stores: Stores = "",
    topology: Topology = "",
    seed: Annotated[int, typer.Option(help="Repeats a simulated run exactly.", min=0)] = 1,
    directory: Annotated[
        Path | None, typer.Option(help="Where the run's files go. Default: runs/<run>.")
    ] = None,
    schedule: Annotated[
        str, typer.Option(help="Other faults than the experiment's: JSON, or a file of it.")
    ] = "",
    traffic: Annotated[
        str, typer.Option(help="Less traffic than the experiment's: JSON, or a file of it.")
    ] = "",
    json: Json = False,
) -> None:
    """Run the platform under an experiment and judge the recorded history."""
    typer.echo("loading the platform ...", err=True)  # The first sign of life, at once.
    from plimsoll.experiments import find_place
    from plimsoll.trial import planned, run_trial

    plan = planned(experiment, (find_place(world, stores, topology), seed), schedule, traffic)
    raise typer.Exit(run_trial(plan, directory, as_json=json))


@app.command()
def simulate(
    experiment: Experiment = "trading_day",
    seeds: Annotated[str, typer.Option(help="First and last seed, as 1..20.")] = "1..20",
    jobs: Annotated[int, typer.Option(help="Processes to use.", min=1)] = 1,
    engine: Annotated[
        str, typer.Option(help="dask://HOST:PORT: the workers of a Dask scheduler instead.")
    ] = "",
    topology: Topology = "",
    coverage: Annotated[
        Path | None, typer.Option(help="Where all that was covered is written, as JSON.")
    ] = None,
    replays: Annotated[
        int, typer.Option(help="Instead: run each seed so often, compare its histories.", min=0)
    ] = 0,
    json: Json = False,
) -> None:
    """Run many seeds in virtual time; shrink the first that fails and say how to replay it."""
    from plimsoll.experiments import find_place
    from plimsoll.failures import WrongUse
    from plimsoll.simulate import Where, run_replays, run_simulation
    from plimsoll.simulating.seed_run import Simulated

    simulated = Simulated(experiment, find_place("simulated", "", topology).topology)
    if replays:
        if coverage or engine:
            raise WrongUse("--replays is alone: leave --coverage and --engine out, or run both")
        raise typer.Exit(run_replays(simulated, seeds, jobs, replays, as_json=json))
    where = Where(jobs, engine)
    raise typer.Exit(run_simulation(simulated, seeds, where, coverage, as_json=json))


@app.command()
def check(
    history: Annotated[Path, typer.Argument(help="A history that a run saved.")],
    json: Json = False,
) -> None:
    """Judge a saved history again."""
    from plimsoll.check import run_check

    raise typer.Exit(run_check(history, as_json=json))


@app.command()
def trace(
    spans: Annotated[Path, typer.Argument(help="A file of spans, or a folder of such files.")],
    trace_id: Annotated[str, typer.Argument(help="The beginning of an id. Default: a list.")] = "",
) -> None:
    """Print a trace as a tree; PLIMSOLL_SPANS=FILE has a trial or a process write its spans."""
    from plimsoll.trace import run_trace

    raise typer.Exit(run_trace(spans, trace_id))


@app.command()
def up(
    world: World = "embedded",
    stores: Stores = "",
    topology: Topology = "",
    seed: Annotated[int, typer.Option(help="Of the venue and the ids.", min=0)] = 1,
    port: Annotated[
        int, typer.Option(help="TCP port, with devices that of the venue; 0: a free one.", min=0)
    ] = 0,
    directory: Annotated[
        Path | None, typer.Option(help="Where state is kept. Default: gone when it ends.")
    ] = None,
    plain_text: Annotated[
        bool, typer.Option("--plain-text", help="Let devices talk in clear text, without TLS.")
    ] = False,
) -> None:
    """Keep the platform running and show where everything listens, until Ctrl-C."""
    from plimsoll.experiments import find_place
    from plimsoll.up import run_up

    place = find_place(world, stores, topology)
    raise typer.Exit(run_up(place, seed, port, directory, is_plain_text=plain_text))


@app.command()
def load(
    profile: Profiles = None,
    duration: Annotated[str, typer.Option(help="Measured time of each repeat: 60, 10m.")] = "60",
    warm_up: Annotated[str, typer.Option(help="Load before it is measured.")] = "10",
    multiple: Annotated[float, typer.Option(help="Of the load that the contracts name.")] = 2.0,
    repeats: Annotated[int, typer.Option(help="Of each profile; the worst counts.", min=1)] = 3,
    workers: Annotated[
        int, typer.Option(help="Processes of Locust, each with an engine or more.", min=1)
    ] = 1,
    find_knee: Annotated[
        bool, typer.Option("--find-knee", help="Look for the load that is too much.")
    ] = False,
    world: World = "processes",
    stores: Stores = "",
    topology: Topology = "",
    seed: Annotated[int, typer.Option(help="Of the venue, the ids and the load.", min=0)] = 1,
    directory: Annotated[
        Path | None, typer.Option(help="Where the run's files go. Default: runs/<run>.")
    ] = None,
    json: Json = False,
) -> None:
    """Load a platform, judge speed and correctness, and stop it; the verdict comes last."""
    from plimsoll.experiments import find_place
    from plimsoll.load import run_load
    from plimsoll.locusts import Offer, find_profiles

    place = find_place(world, stores, topology)
    offer = Offer(
        find_profiles(profile or []), duration, warm_up, multiple, repeats, workers, find_knee, seed
    )
    raise typer.Exit(run_load(place, seed, offer, directory, as_json=json))


@app.command()
def load_compare(
    commit: Annotated[str, typer.Argument(help="What is compared with.")] = "HEAD~1",
    profile: Profiles = None,
    duration: Annotated[str, typer.Option(help="Measured time of each turn: 30, 1m.")] = "30",
    warm_up: Annotated[str, typer.Option(help="Load before it is measured.")] = "5",
    multiple: Annotated[
        float, typer.Option(help="Of the load that the contracts name: one that both hold.")
    ] = 0.1,
    rounds: Annotated[int, typer.Option(help="Turns of each side.", min=1)] = 3,
    stores: Stores = "",
    topology: Topology = "",
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Keep what is here in loadtests/baseline.json.")
    ] = False,
) -> None:
    """Load a commit and what is here in turn; report what became slower, as ratios."""
    from plimsoll.experiments import find_place
    from plimsoll.load_compare import Comparing, run_load_compare
    from plimsoll.locusts import Offer, find_profiles

    place = find_place("processes", stores, topology)
    offer = Offer(find_profiles(profile or ["submit"]), duration, warm_up, multiple, repeats=1)
    raise typer.Exit(run_load_compare(Comparing(commit, place, offer, rounds, write_baseline)))


@app.command()
def nightly_summary(
    directory: Annotated[Path, typer.Argument(help="What ci/nightly has left.")],
) -> None:
    """Judge what a night has left, and write summary.html beside it."""
    from plimsoll.night.command import run_nightly_summary

    raise typer.Exit(run_nightly_summary(directory))


def main() -> None:
    """Run the command; what a user did wrong ends with one clear line and status 2."""
    from plimsoll.failures import WrongUse

    try:
        app()
    except WrongUse as error:
        typer.echo(f"plimsoll: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
