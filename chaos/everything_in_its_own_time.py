"""Anything goes wrong while the market takes the time that it takes: a bar is due every minute."""

from dataclasses import replace

from chaos.everything_at_once import EXPERIMENT as AT_ONCE
from fixtures.experiment import Swarm

EXPERIMENT = replace(
    AT_ONCE,
    name="everything_in_its_own_time",
    title="Within twenty minutes as they pass nothing is lost, doubled or left open.",
    faults=Swarm(over_s=1_200.0, faults_min=10, faults_max=20, longest_s=20.0),
)
