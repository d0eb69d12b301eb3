"""Attacks on real images, as data."""

from __future__ import annotations

from fooling.studies.audit.checks import Check
from fooling.validation import Data, Many


class Curve(Data):
    """What accuracy an attack leaves.

    Attributes:
        attack: "fgsm", "i-fgsm", "pgd"; "worst": the one that does best on each image; "bpda-pgd": PGD that knows of
            the transform.
        transform: in front of the classifier; None: the classifier alone.
        accuracy: at each of the sizes; an image counts as named wrong from the smallest size on that did it.
        auac: the mean accuracy over sizes from 0 to the largest.
    """

    attack: str
    transform: str | None = None
    accuracy: Many[float]
    auac: float


class Attacks(Data):
    """Attacks on real test images, in 8 bits.

    Attributes:
        images: how many were attacked.
        epsilons: maximum distances of a pixel, in grey levels, from 0 on.
        curves: of the classifier alone, and behind each transform: against PGD's images of the classifier alone
            ("pgd"), and against PGD that goes through the transform ("bpda-pgd").
    """

    images: int
    epsilons: Many[int]
    curves: Many[Curve]


class Part(Data):
    """This part of an audit."""

    attacks: Attacks | None = None
    checks: Many[Check]
