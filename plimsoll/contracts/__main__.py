"""`python -m plimsoll.contracts`: the same commands as `plimsoll contracts`."""

from plimsoll.contracts.command import app

if __name__ == "__main__":
    app(prog_name="plimsoll contracts")
