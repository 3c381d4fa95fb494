"""Bugs of streams to those who watch: where they stand, and where they go on."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "heartbeat_tells_the_next",
        "A heartbeat carries the sequence that comes next.",
        (
            Edit(
                "runtime.watch:Feed.pages",
                "yield Page(cursor, ())",
                "yield Page(cursor + 1, ())",
            ),
        ),
        experiment="reports_come_twice",
        check="watch_heartbeat_truthful",
    ),
    Plant(
        "last_one_once_more",
        "Who comes back and is behind is shown the last one that he had once more.",
        (
            Edit(
                "runtime.watch:Feed.pages",
                "cursor, is_live = after_sequence, False",
                "cursor, is_live = after_sequence - (0 < after_sequence < self._sequence), False",
            ),
        ),
        experiment="links_flap",
        check="watch_resumes",
    ),
    Plant(
        "resumed_at_the_newest",
        "Who comes back is shown what happens from then on.",
        (
            Edit(
                "runtime.watch:Feed.pages",
                "cursor, is_live = after_sequence, False",
                "cursor, is_live = (self._sequence if after_sequence else 0), False",
            ),
        ),
        experiment="links_flap",
        check="watch_gap_free",
    ),
    Plant(
        "page_begins_one_too_early",
        "I counted the place of the first item in memory from 1, and it is an index.",
        (
            Edit(
                "runtime.watch:Feed._page",
                "start = len(self._recent) - behind",
                "start = max(0, len(self._recent) - behind - 1)",
            ),
        ),
        experiment="trading_day",
        check="watch_unique",
    ),
    Plant(
        "cursor_moves_by_one",
        "After a page the cursor stands at its first item: mostly it has one only.",
        (
            Edit(
                "runtime.watch:Feed.pages",
                "cursor = found[-1][0]",
                "cursor = found[0][0]",
            ),
        ),
        experiment="trading_day",
        check="watch_ordered",
    ),
)
