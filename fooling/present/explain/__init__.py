"""Explanations drawn: a table for the terminal, and a page with a picture for each question."""
