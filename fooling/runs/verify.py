"""Whether a run's claims hold: the kept pixels classified again, and drawn again from their genotypes.

A checkpoint's digest says that it is whole, not that it is true: whoever hands over a run directory can write any
confidence in it. The classifier is this machine's own, by the fingerprint in the manifest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import Field

from fooling.classifiers.numerics import Numerics
from fooling.classifiers.numerics import resolve as resolve_numerics
from fooling.errors import InvalidError
from fooling.runs.foreign import refuse_server
from fooling.runs.hosting import HostSpec, expect_same
from fooling.runs.underway import versions
from fooling.store.snapshot import Snapshot
from fooling.validation import Data, Many

ELSEWHERE = 2e-5  # what a confidence may differ by on other hardware or software (contract 1)


class FailedClaim(Data):
    """An elite whose claim does not hold.

    Attributes:
        number: its class.
        label: the name of its class.
        claimed: the confidence that the run says.
        found: the confidence now.
        drawn: whether its genotype still draws its pixels.
    """

    number: int = Field(alias="class")
    label: str
    claimed: float
    found: float
    drawn: bool


class Verification(Data):
    """What `show --verify --json` adds.

    Attributes:
        claims: the number of elites.
        hold: how many claims hold.
        tolerance: by which a confidence may differ: 0 with the run's own processor and software.
        failed: the claims that don't hold, class by class.
    """

    claims: int
    hold: int
    tolerance: float
    failed: Many[FailedClaim]


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
    host = HostSpec.of(view.spec.config, numerics, trust=trust)
    classifier = host.classifier()
    expect_same(classifier, view.spec, view.directory)
    toolbox = host.host(classifier)[0].toolbox
    tolerance = 0.0 if _is_same(view, begun) else ELSEWHERE
    rows, held = view.stored_rows[view.occupied], np.flatnonzero(view.occupied)
    failed: list[FailedClaim] = []
    for start in range(0, len(rows), numerics.batch):
        part = slice(start, start + numerics.batch)
        pixels, classes = view.stored_pixels[rows[part]], held[part]
        found = toolbox.classify(pixels)[np.arange(len(pixels)), classes].astype(np.float64)
        claimed = view.confidence[classes]
        drawn = (toolbox.render(view.archive.genotypes.take(rows[part])) == pixels).all(axis=(1, 2, 3))
        failed += [
            FailedClaim(
                number=int(classes[row]),
                label=view.labels[classes[row]],
                claimed=float(claimed[row]),
                found=float(found[row]),
                drawn=bool(drawn[row]),
            )
            for row in np.flatnonzero(~drawn | (np.abs(found - claimed) > tolerance))
        ]
    return Verification(
        claims=len(held), hold=len(held) - len(failed), tolerance=tolerance, failed=tuple(failed)
    )


def _is_same(view: Snapshot, begun: Numerics) -> bool:
    """Whether this machine and software are the run's, so that its numbers come out bit for bit."""
    here, then = versions(), view.spec.versions
    same_software = all(here[name] == then.get(name) for name in ("torch", "numba"))
    same_batch = (view.counters.batch or begun.batch) == begun.batch
    same_processor = begun.device == "cpu" and begun.device_model == resolve_numerics("cpu").device_model
    return same_software and same_batch and same_processor
