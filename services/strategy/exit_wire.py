"""Between ExitConfig messages and exit rules: defaults filled in on the way in, all told out."""

from google.type.decimal_pb2 import Decimal
from trading.strategy.v1 import strategy_pb2 as pb

from runtime.atto import from_atto, to_atto
from services.strategy.terms import ExitRules, TimeStop

DEFAULT = ExitRules()
DEFAULT_TIME = TimeStop()


def exit_of(message: pb.ExitConfig) -> ExitRules:
    """Return exit rules, defaults filled in."""
    return ExitRules(
        max_loss_atto=_given(message.max_loss, DEFAULT.max_loss_atto),
        is_initial_stop_watched=not message.is_initial_stop_off,
        break_even_r_atto=_given(message.break_even_after_r, DEFAULT.break_even_r_atto),
        round_trip_fee_bps_atto=_given(message.round_trip_fee_bps, DEFAULT.round_trip_fee_bps_atto),
        is_one_r_bar_on=message.is_one_r_bar_on,
        is_tiered_trail_on=not message.is_tiered_trail_off,
        tiers_r_atto=tuple(to_atto(one.value) for one in message.tier_r) or DEFAULT.tiers_r_atto,
        is_signal_bar_watched=not message.is_signal_bar_stop_off,
        time_stop=_time_stop_of(message.time_stop) if message.HasField("time_stop") else None,
        atr_target_atto=_given(message.atr_target, 0),
        signal_bar_target_atto=_given(message.signal_bar_target, 0),
        indicator_target=message.indicator_target,
        is_pull_back_on=message.is_pull_back_on,
        pull_back_atto=_given(message.pull_back_share, DEFAULT.pull_back_atto),
        is_range_target_on=not message.is_range_target_off,
    )


def exit_message(rules: ExitRules) -> pb.ExitConfig:
    """Return the complete wire form of exit rules."""
    message = pb.ExitConfig(
        max_loss=_decimal(rules.max_loss_atto),
        is_initial_stop_off=not rules.is_initial_stop_watched,
        break_even_after_r=_decimal(rules.break_even_r_atto),
        round_trip_fee_bps=_decimal(rules.round_trip_fee_bps_atto),
        is_one_r_bar_on=rules.is_one_r_bar_on,
        is_tiered_trail_off=not rules.is_tiered_trail_on,
        tier_r=[_decimal(one) for one in rules.tiers_r_atto],
        is_signal_bar_stop_off=not rules.is_signal_bar_watched,
        atr_target=_decimal(rules.atr_target_atto),
        signal_bar_target=_decimal(rules.signal_bar_target_atto),
        indicator_target=rules.indicator_target,
        is_pull_back_on=rules.is_pull_back_on,
        pull_back_share=_decimal(rules.pull_back_atto),
        is_range_target_off=not rules.is_range_target_on,
    )
    if rules.time_stop is not None:
        message.time_stop.CopyFrom(_time_stop_message(rules.time_stop))
    return message


def _time_stop_of(message: pb.TimeStop) -> TimeStop:
    return TimeStop(
        loss_bars=message.loss_bars or DEFAULT_TIME.loss_bars,
        flat_bars=message.flat_bars or DEFAULT_TIME.flat_bars,
        flat_r_atto=_given(message.flat_r, DEFAULT_TIME.flat_r_atto),
        untiered_bars=message.untiered_bars or DEFAULT_TIME.untiered_bars,
    )


def _time_stop_message(rules: TimeStop) -> pb.TimeStop:
    return pb.TimeStop(
        loss_bars=rules.loss_bars,
        flat_bars=rules.flat_bars,
        flat_r=_decimal(rules.flat_r_atto),
        untiered_bars=rules.untiered_bars,
    )


def _given(number: Decimal, default_atto: int) -> int:
    return to_atto(number.value) if number.value else default_atto  # Never empty when given.


def _decimal(value_atto: int) -> Decimal:
    return Decimal(value=from_atto(value_atto))
