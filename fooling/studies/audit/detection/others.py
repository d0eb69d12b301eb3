"""Images that are not real, by kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cppn.keys import Keys
from fooling import encodings
from fooling.encodings.settings import CppnSettings
from fooling.errors import FoolingError, Interrupted
from fooling.model_specs import split
from fooling.studies.audit.searching import bare_settings, evolved
from fooling.studies.audit.subject import Elites, Subject

FOOLS = 0.99  # the confidence from which an image is taken to fool
NOISE, CPPN, NATURAL, ELITES, STATIC, TRANSFER = (
    "noise",
    "random-cppn",
    "natural",
    "elites",
    "static",
    "transfer",
)
_NOISE, _CPPN_SEED = 2, 0x5EED  # purposes of random numbers


@dataclass(frozen=True)
class Kind:
    """Images of a kind.

    Attributes:
        name: of the kind.
        pixels: (n, H, W, C) uint8.
        groups: (n,) int64, the run that each is from; each image its own group where there are no runs.
    """

    name: str
    pixels: NDArray[np.uint8]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pixels)


def noise(subject: Subject, purpose: int = 0) -> NDArray[np.uint8]:
    """(n, H, W, C): uniform in each value of each pixel."""
    shape = (subject.budget.negatives, *subject.spec.image_shape)
    return subject.random(_NOISE, purpose).integers(0, 256, shape, np.uint8)


def random_cppns(subject: Subject, stream: int = 0) -> NDArray[np.uint8]:
    """(n, H, W, C): CPPNs as a run's first, random population has them, of keys that no run uses."""
    spec = subject.spec
    encoding = encodings.create(CppnSettings(), spec.size, spec.colour)
    keys = Keys.of_generation(subject.seed ^ (_CPPN_SEED + stream), 0, subject.budget.negatives)
    pixels: NDArray[np.uint8] = encoding.render(encoding.initialise(keys))
    return pixels


def kinds_of(subject: Subject, elites: list[Elites]) -> list[Kind]:
    """All kinds that there are images of."""
    found = [_single(NOISE, noise(subject)), _single(CPPN, random_cppns(subject))]
    if subject.ood is not None:
        found.append(_single(NATURAL, subject.ood))
    found += [_of_runs(ELITES, elites, 0.0), _of_runs(STATIC, elites, FOOLS)]
    found.append(_of_runs(TRANSFER, foreign_elites(subject), FOOLS))
    return [kind for kind in found if len(kind)]


def outliers(subject: Subject) -> NDArray[np.uint8]:
    """Images to train detectors with: noise and random CPPNs, others than those that are measured on."""
    return np.concatenate([noise(subject, 1), random_cppns(subject, 1)])


def lessons(subject: Subject) -> NDArray[np.uint8]:
    """Images to train a class "fooling" with: elites of runs of their own, each several times, and as many random CPPNs
    as are measured on.

    Raises:
        Interrupted: the audit was stopped.
    """
    settings = bare_settings(subject, "cppn")
    runs = [
        Elites.of(evolved(subject, f"lessons/{number}", settings, seed=subject.seed + 2000 + number))
        for number in range(subject.budget.runs)
    ]
    pixels = np.concatenate([run.pixels[run.confidences >= np.float32(FOOLS)] for run in runs])
    if not len(pixels):
        return pixels
    again = max(1, subject.budget.negatives // len(pixels))
    return np.concatenate([np.repeat(pixels, again, axis=0), random_cppns(subject, 2)])


def foreign_elites(subject: Subject) -> list[Elites]:
    """Elites of other networks: of the runs that were given, and of runs on the other classifiers that were named, where
    their images have the same shape.

    Raises:
        Interrupted: the audit was stopped.
    """
    found = [Elites.of(run) for run in subject.foreign]
    for number, model in enumerate(subject.request.others):
        settings = {**bare_settings(subject, "cppn"), "model": model}
        try:
            split(model)
            run = evolved(subject, f"others/{number}", settings, seed=subject.seed)
        except Interrupted:
            raise
        except FoolingError as error:
            subject.say(f"{model} was left out: {error}")
            continue
        if run.spec.classifier.spec.image_shape == subject.spec.image_shape:
            found.append(Elites.of(run))
    return found


def _single(name: str, pixels: NDArray[np.uint8]) -> Kind:
    return Kind(name, pixels, np.arange(len(pixels)))


def _of_runs(name: str, runs: list[Elites], least: float) -> Kind:
    """Elites of at least a confidence."""
    kept = [run.confidences >= np.float32(least) for run in runs]
    if not runs:
        return Kind(name, np.zeros((0, 1, 1, 1), np.uint8), np.zeros(0, np.int64))
    return Kind(
        name,
        np.concatenate([run.pixels[rows] for run, rows in zip(runs, kept, strict=True)]),
        np.concatenate([np.full(int(rows.sum()), number) for number, rows in enumerate(kept)]),
    )
