"""Open-loop load: offer calls on a schedule, measure from the intended instant, judge honestly."""
