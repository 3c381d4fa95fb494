"""What the platform survives: experiments as data, one file each."""

from pathlib import Path

NO_EXPERIMENTS = ("_", "conftest")  # What files begin with that are none.


def names() -> list[str]:
    """Return the names of every experiment."""
    files = (file for folder in __path__ for file in Path(folder).glob("*.py"))
    return sorted(file.stem for file in files if not file.stem.startswith(NO_EXPERIMENTS))
