"""How much an audit does, at each depth."""

from __future__ import annotations

from dataclasses import dataclass

from fooling.studies.audit.request import Depth


@dataclass(frozen=True)
class Budget:
    """The sizes of an audit. Images are counted per class where networks differ by that.

    Attributes:
        depth: its name.
        real: labelled real images that are used at most.
        negatives: images of each kind that shows nothing (noise, random CPPNs).
        runs: runs of each encoding.
        population: images in a generation of a run.
        generations: of a run.
        adaptive_runs: runs against classifier and detector together, for each detector.
        adaptive_generations: of such a run.
        climbs: gradient steps of each class, where there are gradients.
        resamples: of the bootstrap.
        queries: the budgets of black-box searches, in images.
        epochs: passes over the real images in the training of a detector.
        attacked: real images that reference attacks begin at.
    """

    depth: Depth
    real: int
    negatives: int
    runs: int
    population: int
    generations: int
    adaptive_runs: int
    adaptive_generations: int
    climbs: int
    resamples: int
    queries: tuple[int, ...]
    epochs: int
    attacked: int

    @property
    def evaluations(self) -> int:
        """Images of a run."""
        return self.population * (self.generations + 1)


_BUDGETS = {
    "quick": Budget("quick", 4000, 400, 2, 100, 30, 1, 30, 50, 400, (1000,), 1, 40),
    "normal": Budget("normal", 10000, 1000, 5, 200, 200, 2, 200, 300, 2000, (1000, 10000), 2, 200),
    "deep": Budget("deep", 50000, 2000, 20, 200, 1000, 5, 1000, 500, 2000, (1000, 10000), 5, 1000),
}


def budget_of(depth: Depth) -> Budget:
    """The sizes of a depth."""
    return _BUDGETS[depth]
