"""The detectors, in the order of reports."""

from __future__ import annotations

from fooling.studies.audit.detectors import (
    energy,
    energy_tuning,
    extra_class,
    gen,
    knn,
    mahalanobis,
    maxlogit,
    msp,
    odin,
    openmax,
    outlier_exposure,
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
        extra_class,
        outlier_exposure,
        energy_tuning,
    )
)
