"""What kernels are made of: columns of bars, flat floats, and the shape of a kernel."""

from collections.abc import Callable, MutableSequence, Sequence

Floats = MutableSequence[float]
Bars = Sequence[Sequence[float]]
Kernel = Callable[[Sequence[float], Floats, Bars, Floats], None]

OPEN, HIGH, LOW, CLOSE, VOLUME = 0, 1, 2, 3, 4
COLUMNS = 5
