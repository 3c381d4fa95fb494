"""Keep contracts and what is derived from them true: lint, breaking, generate, docs, check."""

from plimsoll.contracts.command import app

__all__ = ["app"]
