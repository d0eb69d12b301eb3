"""What a person chose while breeding, as texts that addresses and settings can hold: `steps`, and the `start` of a line."""
