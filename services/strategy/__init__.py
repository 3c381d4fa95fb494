"""Hosts strategies."""
