"""Evolve images that show nothing and that an image classifier names with near-certainty."""

__version__ = "0.1.0"
