"""The command: trial, simulate, check, up, contracts."""
