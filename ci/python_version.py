"""Stop with a clear word when the Python that would build .venv is too old."""

import sys

REQUIRED = (3, 11)

if sys.version_info < REQUIRED:
    sys.exit(
        f"python is {sys.version.split()[0]}, must be 3.11 or newer: "
        "run `make PYTHON=/path/to/python3.11 ...`"
    )
