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
        climbed: classes that gradients are climbed for, at most: unlike evolution, it pays for each apart.
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
    climbed: int
    resamples: int
    queries: tuple[int, ...]
    epochs: int
    attacked: int

    @property
    def evaluations(self) -> int:
        """Images of a run."""
        return self.population * (self.generations + 1)


_BUDGETS = {
    "quick": Budget(
        depth="quick",
        real=4000,
        negatives=400,
        runs=2,
        population=100,
        generations=60,
        adaptive_runs=1,
        adaptive_generations=30,
        climbs=60,
        climbed=10,
        resamples=400,
        queries=(1000,),
        epochs=1,
        attacked=40,
    ),
    "normal": Budget(
        depth="normal",
        real=10000,
        negatives=1000,
        runs=5,
        population=200,
        generations=200,
        adaptive_runs=2,
        adaptive_generations=200,
        climbs=300,
        climbed=50,
        resamples=2000,
        queries=(1000, 10000),
        epochs=2,
        attacked=200,
    ),
    "deep": Budget(
        depth="deep",
        real=50000,
        negatives=2000,
        runs=20,
        population=200,
        generations=1000,
        adaptive_runs=5,
        adaptive_generations=1000,
        climbs=500,
        climbed=1000,
        resamples=2000,
        queries=(1000, 10000),
        epochs=5,
        attacked=1000,
    ),
}


def budget_of(depth: Depth) -> Budget:
    """The sizes of a depth."""
    return _BUDGETS[depth]
