"""The task of single-class evolution: what is each of these images worth to one class?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive import Candidates
from workers.host import Host
from workers.tasks import task


@dataclass(frozen=True)
class Target:
    """What all chunks of a generation share.

    Attributes:
        target: the class that is evolved.
        threshold: the confidence that a candidate has to beat.
    """

    target: int
    threshold: float


@dataclass(frozen=True)
class Images:
    """A chunk of images.

    Attributes:
        ids: (n, 3) int32, ascending: generation, stream, child.
        genotypes: a population of n.
    """

    ids: NDArray[np.int32]
    genotypes: Any

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{len(self.ids)} images of step {self.ids[-1, 0]}"


@dataclass(frozen=True)
class Evaluated:
    """What a chunk is worth.

    Attributes:
        confidences: (n,) float32, of the target; NaN where the classifier has none.
        candidates: the best image, if it beats the threshold; it claims the target's cell only.
    """

    confidences: NDArray[np.float32]
    candidates: Candidates


@task
def evaluate_individuals(host: Host, shared: Target, chunk: Images) -> Evaluated:
    """Render and classify."""
    pixels = host.toolbox.render(chunk.genotypes)
    confidences = host.toolbox.classify(pixels)
    thresholds = np.full(confidences.shape[1], np.inf, np.float32)
    thresholds[shared.target] = shared.threshold
    own = confidences[:, shared.target]
    own = own.copy() if isinstance(own, np.ndarray) else own.cpu().numpy()
    candidates = Candidates.best_of(chunk.ids, pixels, chunk.genotypes, confidences, thresholds)
    return Evaluated(own, candidates)
