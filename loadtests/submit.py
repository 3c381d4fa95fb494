"""SUBMIT: marketable limit orders on fifty accounts."""

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile


class Submit(Flow):
    """Orders that trade at once: each acknowledged by the venue, then booked in the ledger."""

    profile = Profile(
        name="SUBMIT",
        unit="order sent → acknowledged by the venue; → its fill booked in the ledger",
        rate_1x=200.0,
        gates=(Gate("acknowledged", p99_ms=250.0), Gate("booked", p99_ms=500.0)),
        traffic="loadtests.traffic.submit:Submit",
    )
