"""Bugs of protective exits: stops and targets."""

from chaos.planted.planting import Edit, Plant

TOUCHED = "services.strategy.exits.evaluating:evaluate_exits"
STOP = "stop = touched_stop(position, bar, setting)"
LOOSENED = Edit(
    "services.strategy.exits.raising:raised_to",
    "if present is not None and not is_tighter(stop_atto, present, position.direction):",
    "if stop_atto == present:",
)

PLANTS = (
    Plant(
        "stop_before_target_swapped",
        "I look at targets first: where a bar touches both, it takes the profit.",
        (
            Edit(
                TOUCHED,
                STOP,
                "is_profit = touched_target(position, bar, setting) is not None\n"
                "    stop = None if is_profit else touched_stop(position, bar, setting)",
            ),
        ),
        experiment="bars_touch_stops_and_targets",
        check="stops_come_before_targets",
    ),
    Plant(
        "raised_stop_acts_at_once",
        "I raised the stops by the bar before I looked which of them it touches.",
        (Edit(TOUCHED, STOP, STOP.replace("position", "after_bar(position, bar, setting)")),),
        experiment="bars_touch_stops_and_targets",
        check="raised_stops_act_later",
    ),
    Plant(
        "initial_stop_never_watched",
        "The stop of the signal is kept with the position, and only raised ones are looked at.",
        (
            Edit(
                "services.strategy.exits.stops:_levels",
                "rules.is_initial_stop_watched or position.stop_atto",
                "position.stop_atto",
            ),
        ),
        experiment="bars_touch_stops_and_targets",
        check="touched_stop_is_an_exit",
    ),
    Plant(
        "stop_loosened_by_a_repeat",
        "A signal to the side that is held sets its stop anew, and says so.",
        (
            LOOSENED,
            Edit(
                "services.strategy.proposing:proposals_of",
                "tightened is not position and is_tightened(position, tightened, setting)",
                "tightened is not position",
            ),
        ),
        experiment="bars_touch_stops_and_targets",
        check="stop_never_loosens",
    ),
    Plant(
        "stop_loosened_in_silence",
        "A signal to the side that is held sets its stop anew, and only nearer ones are told.",
        (LOOSENED,),
        experiment="bars_touch_stops_and_targets",
        check="touched_stop_is_an_exit",
    ),
)
