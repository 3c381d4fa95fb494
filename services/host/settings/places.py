"""Where something listens: `host:50050`, and `host:50050/8050` where it also speaks HTTP."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

SEPARATOR = "|"  # Between the places of a service that may be at several.
PLACE = re.compile(r"([^\s:|/,=\[\]]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})(?:/(\d{1,5}))?")


@dataclass(frozen=True)
class Place:
    """One place; its HTTP address is "" where that is not spoken, or not known."""

    address: str
    http_address: str = ""

    def __str__(self) -> str:
        """Return the text that it is read from."""
        _, _, http_port = self.http_address.rpartition(":")
        return f"{self.address}/{http_port}" if http_port else self.address


def place_of(text: str) -> Place:
    """Return the place that a text names. Raises ValueError when it names none."""
    found = PLACE.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no place, must be like 10.0.0.1:50050, or like 10.0.0.1:50050/8050 "
            "where HTTP is spoken as well: correct it"
        )
    host, grpc, http = found.groups()
    return Place(f"{host}:{grpc}", f"{host}:{http}" if http else "")


def places_of(text: str) -> list[Place]:
    """Return the places of a text, in their order. Raises ValueError when it has another."""
    return [place_of(part) for part in text.split(SEPARATOR)]


def written(places: Iterable[Place]) -> str:
    """Return the text that `places_of` reads."""
    return SEPARATOR.join(map(str, places))
