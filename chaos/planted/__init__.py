"""Bugs that could have been made, planted on purpose: what judges a run must find each of them."""
