"""How much the platform carries: `locust -f loadtests`. One traffic shape in each file."""
