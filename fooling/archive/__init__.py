"""The archive: its cells, the candidates for them, the lattice of elites, what has to hold of it, and the lineage."""

from fooling.archive.archive import Archive
from fooling.archive.candidates import NO_CANDIDATES, Candidates, called, first_answers
from fooling.archive.cells import Cells

__all__ = ["NO_CANDIDATES", "Archive", "Candidates", "Cells", "called", "first_answers"]
