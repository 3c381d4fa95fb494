"""Keeps contracts and what is derived from them true: lint, breaking, generate, docs, check."""
