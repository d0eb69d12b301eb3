"""The archive: candidates, the lattice of elites that they compete in, what has to hold of it, and who begot whom."""

from fooling.archive.archive import Archive
from fooling.archive.candidates import EMPTY, NO_CANDIDATES, Candidates, called, first_answers

__all__ = ["EMPTY", "NO_CANDIDATES", "Archive", "Candidates", "called", "first_answers"]
