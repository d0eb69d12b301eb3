"""What a run keeps, and how it is read again: manifest, checkpoints, log, lineage, the elites' files; the view of all."""
