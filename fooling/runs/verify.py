"""Whether a run's claims hold: the kept pixels classified again, and drawn again from their genotypes.

A checkpoint's digest says that it is whole, not that it is true: whoever hands over a run directory can write any
confidence in it. The classifier is this machine's own, by the fingerprint in the manifest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.numerics import Numerics
from fooling.classifiers.numerics import resolve as resolve_numerics
from fooling.errors import InvalidError
from fooling.runs.foreign import refuse_server
from fooling.runs.hosting import Recipe, expect_same
from fooling.runs.underway import versions
from fooling.store.snapshot import Snapshot

ELSEWHERE = 2e-5  # what a confidence may differ by on other hardware or software (contract 1)


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes:
        found: (K,) float32, the confidence of each class's elite now; NaN where there is none.
        drawn: (K,) bool, whether its genotype still draws its pixels; true where there is none.
        claimed: (K,) float32, what the run says; NaN where there is no elite.
        tolerance: by which the two may differ: 0 with the run's own processor and software.
    """

    found: NDArray[np.float32]
    drawn: NDArray[np.bool_]
    claimed: NDArray[np.float32]
    tolerance: float

    @property
    def failed(self) -> NDArray[np.int64]:
        """The classes whose claim does not hold, ascending."""
        apart = np.abs(self.found.astype(np.float64) - self.claimed) > self.tolerance
        return np.flatnonzero(~self.drawn | apart)

    def document(self, labels: tuple[str, ...]) -> dict[str, Any]:
        """JSON-like data; docs/run-directory.md has the keys."""
        claims = int((~np.isnan(self.claimed)).sum())
        return {
            "claims": claims,
            "hold": claims - len(self.failed),
            "tolerance": self.tolerance,
            "failed": [
                {
                    "class": number,
                    "label": labels[number],
                    "claimed": float(self.claimed[number]),
                    "found": float(self.found[number]),
                    "drawn": bool(self.drawn[number]),
                }
                for number in self.failed.tolist()
            ],
        }


def verify(view: Snapshot, trust: bool = False) -> Verification:
    """Classify a run's elites again on this machine's CPU, under the run's numerics.

    Args:
        trust: let the model bring code of its own, whatever the manifest says.

    Raises:
        InvalidError: the classifier is another, needs trust, or the run had operators of a Python user's own.
    """
    if view.spec.operators:
        raise InvalidError(
            f"{view.directory} was made with operators of its own ({', '.join(view.spec.operators)}): "
            "its claims can't be verified"
        )
    if not trust:
        refuse_server(view.directory, view.spec.config)
    begun = view.spec.numerics
    numerics = replace(begun, device="cpu", batch=view.counters.batch or begun.batch)
    recipe = Recipe(view.spec.config, numerics, trust)
    classifier = recipe.classifier()
    expect_same(classifier, view.spec, view.directory)
    toolbox = recipe.host(classifier)[0].toolbox
    rows, held = view.stored_rows[view.occupied], np.flatnonzero(view.occupied)
    found = np.full(len(view.labels), np.nan, np.float32)
    drawn = np.ones(len(view.labels), bool)
    for start in range(0, len(rows), numerics.batch):
        part = slice(start, start + numerics.batch)
        pixels = view.stored_pixels[rows[part]]
        found[held[part]] = toolbox.classify(pixels)[np.arange(len(pixels)), held[part]]
        again = toolbox.render(view.archive.genotypes.take(rows[part]))
        drawn[held[part]] = (again == pixels).all(axis=(1, 2, 3))
    return Verification(found, drawn, view.confidence, 0.0 if _is_same(view, begun) else ELSEWHERE)


def _is_same(view: Snapshot, begun: Numerics) -> bool:
    """Whether this machine and software are the run's, so that its numbers come out bit for bit."""
    here, then = versions(), view.spec.versions
    same_software = all(here[name] == then.get(name) for name in ("torch", "numba"))
    same_batch = (view.counters.batch or begun.batch) == begun.batch
    same_processor = begun.device == "cpu" and begun.device_model == resolve_numerics("cpu").device_model
    return same_software and same_batch and same_processor
