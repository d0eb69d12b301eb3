"""Other people's software on the same task, in one process, in turns, after a check that all compute the same.

`python -m benchmarks.peers`; each peer is a file, and one that isn't installed is left out, saying so.
"""
