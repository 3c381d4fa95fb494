"""Compiles every kernel ahead of time: `python -m services.indicators.precompilation`.

Otherwise the first caller on a machine waits for it, up to a second for each kind it names.
"""

from services.indicators.catalogue import CATALOGUE
from services.indicators.compiled import compiled


def main() -> None:
    """Compile what is not on disk yet."""
    for definition in CATALOGUE.values():
        compiled(definition.kernel)


if __name__ == "__main__":
    main()
