"""Many seeds in virtual time: who runs them, what they come to, the least that still fails."""
