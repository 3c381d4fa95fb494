"""Topologies for tests: a valid file, and every service there is."""

SERVICES = (
    "marketdata",
    "indicators",
    "portfolio",
    "strategy",
    "risk",
    "execution",
    "orders",
    "discovery",
)
TWO = """\
name: two
title: Two devices
devices:
  left:
    cpus: 1.5
    memory: 512 MiB
    services: [marketdata, indicators, portfolio]
    standbys: [risk, orders]
  right:
    cpus: 2
    memory: 1 GiB
    services:
      - strategy
      - risk
      - execution
      - orders
      - discovery
    standbys: [marketdata]
default_link:
  latency: 0.5 ms
  bandwidth: 1 Gbit/s
links:
  - between: [right, left]
    latency: 3 ms
    bandwidth: 256 kB/s
  - between: [left, mysql]
    latency: 0 ms
    bandwidth: 100 Mbit/s
"""
