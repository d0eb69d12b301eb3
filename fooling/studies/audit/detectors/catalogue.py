"""The detectors, in the order of reports."""

from __future__ import annotations

from fooling.studies.audit.detectors import (
    energy,
    gen,
    knn,
    mahalanobis,
    maxlogit,
    msp,
    odin,
    openmax,
    react,
    relative_mahalanobis,
    temperature,
    vim,
)

DETECTORS = tuple(
    module.DETECTOR
    for module in (
        msp,
        temperature,
        maxlogit,
        energy,
        gen,
        knn,
        mahalanobis,
        relative_mahalanobis,
        vim,
        react,
        odin,
        openmax,
    )
)
