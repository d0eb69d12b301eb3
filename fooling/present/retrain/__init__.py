"""Rounds of retraining drawn: in the terminal, as a figure."""
