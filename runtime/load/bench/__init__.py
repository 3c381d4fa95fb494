"""How much one engine offers, beside what Locust users offer to the same server."""
