"""What creating, changing, starting and stopping does to a strategy; no I/O."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from trading.strategy.v1 import strategy_pb2 as pb

from services.strategy.changes import Changes
from services.strategy.exit_wire import exit_of
from services.strategy.hosted import Hosted, State, Track
from services.strategy.indicators import Past
from services.strategy.instruments import Instrument
from services.strategy.proposing import closing_all
from services.strategy.registry import checked, kind_of
from services.strategy.signals import drafted, signal_id, valid_until_ns
from services.strategy.terms import Action, Bar, Config, StrategyRefused
from services.strategy.wire import parameters_of, sizing_of

NEED_VOLUME = ("VOLUME_RATIO",)  # Kinds of indicators.
OVER = (State.STOPPED, State.FAILED)


def created(
    strategy_id: str, config: Config, instruments: Mapping[str, Instrument], now_ns: int
) -> Hosted:
    """Return a new strategy."""
    return Hosted(
        strategy_id=strategy_id,
        number=0,
        config=config,
        instruments=tuple(instruments),
        tracks={name: _track(one) for name, one in instruments.items()},
        created_ns=now_ns,
        updated_ns=now_ns,
    )


def changed_config(hosted: Hosted, request: pb.UpdateStrategyRequest) -> Config:
    """Return the configuration that a request asks for. Raises StrategyRefused."""
    config = hosted.config
    is_elsewhere = bool(request.instruments) or request.timeframe not in (0, config.timeframe)
    if hosted.state in OVER or (is_elsewhere and hosted.state is not State.CREATED):
        allowed = "CREATED" if is_elsewhere else "neither STOPPED nor FAILED"
        raise wrong_state(hosted, "changed in this way", allowed)
    if request.HasField("parameters"):
        given = parameters_of(request.parameters)
        config = replace(config, parameters=given)  # type: ignore[arg-type]  # Checked below.
    if request.HasField("exit"):
        config = replace(config, exit=exit_of(request.exit))
    if request.HasField("sizing"):
        config = replace(config, sizing=sizing_of(request.sizing))
    return checked(replace(config, timeframe=request.timeframe or config.timeframe))


def configure(
    hosted: Hosted,
    config: Config,
    instruments: Mapping[str, Instrument],
    pasts: Mapping[str, Past] | None,
) -> None:
    """Put a new version of the configuration in force; `pasts` are given while it is active."""
    if config.parameters != hosted.config.parameters:
        hosted.tracks = {name: track.forgetting() for name, track in hosted.tracks.items()}
        hosted.anchor_ns = None
        if pasts is not None:
            anchor(hosted, pasts)
    if tuple(instruments) != hosted.instruments:
        hosted.instruments = tuple(instruments)
        hosted.tracks = {name: _track(one) for name, one in instruments.items()}
    hosted.config = config
    hosted.config_version += 1


def anchor(hosted: Hosted, pasts: Mapping[str, Past]) -> None:
    """Let the indicators start at the oldest candle that any instrument needs."""
    starts = [past.anchor_ns for past in pasts.values() if past.anchor_ns is not None]
    hosted.anchor_ns = min(starts, default=None)
    for name, past in pasts.items():
        track = hosted.tracks[name]
        hosted.tracks[name] = replace(track, bar_count=past.bar_count, has_range=past.has_range)


def check_pasts(hosted: Hosted, pasts: Mapping[str, Past], *, is_cold_allowed: bool) -> None:
    """Refuse a start without what the kind needs. Raises StrategyRefused."""
    kind = kind_of(hosted.config.kind)
    needs = kind.indicators(hosted.config.parameters, True)
    needs_volume = any(need.kind in NEED_VOLUME for need in needs)
    for name, past in pasts.items():
        if kind.needs_range and past.has_range is False:
            raise insufficient(hosted, name, "a range", "closes alone")
        if kind.needs_range and needs_volume and past.has_volume is False:
            raise insufficient(hosted, name, "a volume", "none")
        if past.bar_count < hosted.warm_need and not is_cold_allowed:
            raise StrategyRefused(
                "NOT_WARM",
                f"{name} has {past.bar_count} candles, must have {hosted.warm_need}: store more "
                "history, or start it cold",
                instrument=name,
                have=str(past.bar_count),
                need=str(hosted.warm_need),
            )


def insufficient(hosted: Hosted, name: str, needed: str, found: str) -> StrategyRefused:
    """Return the refusal of candles that carry less than the kind needs."""
    return StrategyRefused(
        "CANDLE_KIND_INSUFFICIENT",
        f"{hosted.config.kind} needs candles with {needed}, {name} has {found}: choose another "
        "kind or other instruments",
        instrument=name,
    )


def start(hosted: Hosted, pasts: Mapping[str, Past], *, since_sequence: int, now_ns: int) -> None:
    """Start a new strategy with its past on the candles to come, or resume a paused one."""
    if hosted.state in OVER or hosted.is_stopping:
        raise wrong_state(hosted, "started", "CREATED or PAUSED, and not stopping")
    if hosted.state is State.CREATED:
        anchor(hosted, pasts)
        hosted.since_sequence = since_sequence
    if hosted.state in (State.CREATED, State.PAUSED):
        hosted.turn(State.WARMING, now_ns)
        hosted.settle_state(now_ns)


def pause(hosted: Hosted, now_ns: int) -> None:
    """Let it open nothing more."""
    if not hosted.is_active:
        raise wrong_state(hosted, "paused", "WARMING or RUNNING")
    if hosted.state is not State.PAUSED:
        hosted.turn(State.PAUSED, now_ns)


def stop(hosted: Hosted, now_ns: int) -> None:
    """Let it do nothing more."""
    hosted.is_stopping = False
    if hosted.state is not State.STOPPED:
        hosted.turn(State.STOPPED, now_ns)


def flatten(changes: Changes, hosted: Hosted, given: Collection[str]) -> None:
    """Close what is held, then stop. `given` are signals that were made already.

    Where the close of the last candle came to nothing, the next candle brings another.
    """
    hosted.is_stopping = True
    hosted.turn(State.PAUSED, changes.now_ns)
    for track in hosted.tracks.values():
        position, bar = track.position, last_bar(track)
        is_given = close_id(hosted, track) in given
        if not position.quantity_atto or position.is_leaving(changes.now_ns) or is_given:
            continue
        proposal = closing_all(position, bar, hosted.setting(track.instrument))
        lasts_ns = valid_until_ns(bar) - bar.close_ns
        until_ns = max(changes.now_ns, bar.close_ns) + lasts_ns
        draft = drafted(hosted, track.instrument, bar, proposal, until_ns=until_ns)
        changes.keep(hosted, changes.drafted(hosted, track, proposal, draft))


def close_id(hosted: Hosted, track: Track) -> str:
    """Return the id of the signal that closes after the last candle of an instrument."""
    return signal_id(hosted, track.instrument, last_bar(track).open_ns, Action.CLOSE)


def last_bar(track: Track) -> Bar:
    """Return the last candle evaluated; before the first one, where it was bought."""
    if track.last_close_ns < 0:
        price_atto = track.position.entry_atto if track.position.quantity_atto else 1
        return Bar(0, track.position.opened_ns, price_atto)
    return Bar(track.last_open_ns, track.last_close_ns, track.last_close_atto)


def wrong_state(hosted: Hosted, done: str, allowed: str) -> StrategyRefused:
    """Return the refusal of what the state does not allow."""
    stopping = " and stopping" if hosted.is_stopping else ""
    return StrategyRefused(
        "WRONG_STATE",
        f"strategy {hosted.strategy_id} is {hosted.state}{stopping}, to be {done} it must be "
        f"{allowed}",
        state=hosted.state.value,
    )


def check_etag(hosted: Hosted, etag: str) -> None:
    """Refuse a change that was made for an earlier strategy. Raises StrategyRefused."""
    if etag != str(hosted.revision):
        raise StrategyRefused(
            "ETAG_MISMATCH",
            f"etag is {etag}, the strategy is at {hosted.revision}: read it again",
            etag=str(hosted.revision),
        )


def _track(instrument: Instrument) -> Track:
    return Track(instrument.name, instrument.tick_atto, instrument.lot_atto)
