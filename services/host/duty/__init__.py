"""Decides which device acts for a service: its home, or its standby."""
