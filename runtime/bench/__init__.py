"""How fast calls travel: `python -m runtime.bench` prints what was measured, and the limits."""
