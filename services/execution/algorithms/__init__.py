"""How orders are worked over time: schedules, sizes, prices and the next step; all of it pure.

Quantities are whole lots, prices whole ticks, times nanoseconds. Source: specification of the
pipeline, section 9 (A1 to A6 and the table of algorithms).
"""
