"""Hosts services: a process runs a device, told by settings, reaching peers, on duty in turn."""
