"""Pages of HTML from templates, all in one style; what stands in a text stays text."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape


def fill(template: str, filters: Mapping[str, Callable[..., Any]], **values: Any) -> str:
    """Return the page of a template, a path below this folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(template).render(**values)
