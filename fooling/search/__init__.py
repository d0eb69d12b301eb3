"""Searches: policies that choose parents and read results. They know executors, never where those run."""
