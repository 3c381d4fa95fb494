"""Compiles the indicators' kernels from their own files alone, before others are in the image.

So a change anywhere else finds this layer made. `services.indicators.precompilation` is the same
for a machine where everything is at hand.
"""

import importlib
import inspect
import pkgutil

from services.indicators import kernels
from services.indicators.compiled import compiled

for found in pkgutil.iter_modules(kernels.__path__):
    module = importlib.import_module(f"{kernels.__name__}.{found.name}")
    for _, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == module.__name__:
            compiled(function)
