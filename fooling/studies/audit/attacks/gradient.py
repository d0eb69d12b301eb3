"""Attacks on real images within a maximum distance in every pixel, in grey levels of 8-bit images.

FGSM (Goodfellow, Shlens & Szegedy 2015), I-FGSM (Kurakin, Goodfellow & Bengio 2017) and PGD (Madry et al. 2018) are one
loop: the image moves against the sign of the gradient of the logarithm of the confidence in its class. Between the steps
the image is a float; what is classified, and what the gradient is taken at, is always the image in 8 bits. Behind a
transform the forward pass goes through it and the way back does not (BPDA: Athalye, Carlini & Wagner 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.studies.audit import answers
from fooling.studies.audit.images import Labelled
from fooling.studies.audit.subject import Subject

Images = NDArray[np.uint8]
# Of (n, H, W, C) images: what they are turned into before they are classified.
Applied = Callable[[Images], Images]


def unchanged(images: Images) -> Images:
    """No transform."""
    return images


@dataclass(frozen=True)
class Attack:
    """How an image is moved.

    Attributes:
        name: "fgsm", "i-fgsm" or "pgd".
        steps: how many.
        share: length of a step, as a share of the maximum distance.
        random: whether it begins at a random place within the maximum distance.
    """

    name: str
    steps: int
    share: float
    random: bool = False


ATTACKS = (Attack("fgsm", 1, 1.0), Attack("i-fgsm", 10, 1 / 8), Attack("pgd", 10, 1 / 4, True))


@dataclass(frozen=True)
class Attacked:
    """What an attack made of images.

    Attributes:
        last: (n, H, W, C) uint8, the images after the last step that was taken.
        fooled: (n,) bool: whether some class had a higher confidence than an image's own, at any step.
    """

    last: Images
    fooled: NDArray[np.bool_]


def attacked(
    subject: Subject,
    attack: Attack,
    real: Labelled,
    epsilon: int,
    random: np.random.Generator,
    applied: Applied = unchanged,
    whole: bool = True,
) -> Attacked:
    """Attack images.

    Args:
        epsilon: the maximum distance of a pixel, in grey levels.
        random: where the start is random.
        applied: a transform in front of the classifier.
        whole: take all steps, though all images fool before.

    Raises:
        ClassifierError: no gradients reach the images.
    """
    origin = real.pixels.astype(np.float32)
    low, high = np.maximum(origin - epsilon, 0), np.minimum(origin + epsilon, 255)
    at = origin.copy()
    if attack.random and epsilon:
        at += random.uniform(-epsilon, epsilon, at.shape).astype(np.float32)
        at = at.clip(low, high)
    fooled = np.zeros(len(real), np.bool_)
    for step in range(attack.steps + 1):
        pixels = np.rint(at).astype(np.uint8)
        goes_on = step < attack.steps and epsilon > 0
        found = subject.evaluator.evaluate(
            applied(pixels), gradients=real.classes if goes_on else None, allow_nan=True
        )
        fooled |= ~answers.of(found.confidences, real.classes).first
        if found.gradients is None or (fooled.all() and not whole):
            break
        at = (at - attack.share * epsilon * np.sign(found.gradients)).clip(low, high)
    return Attacked(pixels, fooled)
