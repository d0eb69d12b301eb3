"""The task `climb`: some gradient steps of some climbs, with a record of every image on the way.

The forward pass is of the 8-bit image, the gradient moves the float image behind it (the straight-through
estimator: Bengio, Leonard & Courville 2013), so the confidences that a step needs are also the record's, and
judging costs nothing more. What a round finds better than before is asked of `classify` once again: a pass
that records gradients may take other operations than one that doesn't, and the claim is the latter's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cppn.keys import Keys
from fooling.archive import first_answers
from fooling.archive.nan_images import NanImages
from fooling.classifiers import Classifier
from fooling.search.ascent import rules
from fooling.search.ascent.objective import Objective
from fooling.search.ascent.records import LEVELS, NEVER, Records
from fooling.search.ascent.regularisers import regularise, shifted, shifts
from fooling.search.ascent.starts import begin, mean_of
from fooling.search.breeding import identities
from fooling.search.settings import GradientAscentSettings
from workers.host import Host
from workers.tasks import task


@dataclass(frozen=True)
class Ascent:
    """What all chunks of a round share.

    Attributes:
        settings: of the search.
        first, last: steps that the first and last images which are judged have taken. All but the image that
            has taken all steps of the settings take another one.
        shape: (H, W, C) of the images.
        given: (m, H, W, C) uint8, the user's images to start from; None where there are none, and after the
            first round.
    """

    settings: GradientAscentSettings
    first: int
    last: int
    shape: tuple[int, int, int]
    given: NDArray[np.uint8] | None

    @property
    def steps(self) -> int:
        """Steps that each climb takes in the round."""
        return min(self.last + 1, self.settings.steps) - self.first


@dataclass(frozen=True)
class Climbs:
    """A chunk of climbs, as they stand.

    Attributes:
        keys: one per climb.
        targets: (n,) int64, the class that each climbs.
        best: (n,) float32, the confidence to beat: that of the climb's best image.
        images: (n, H, W, C) float32 in [0, 1]; None before the first round.
        moments: (2, n, H, W, C) float32, Adam's; None before the first round, and for other rules.
    """

    keys: Keys
    targets: NDArray[np.int64]
    best: NDArray[np.float32]
    images: NDArray[np.float32] | None
    moments: NDArray[np.float32] | None

    @property
    def name(self) -> str:
        """What messages call it."""
        first, last = int(self.keys.children[0]), int(self.keys.children[-1])
        return f"climbs {first} to {last} of generation {self.keys.generation}"

    def __getitem__(self, rows: slice) -> Climbs:
        return Climbs(
            self.keys[rows],
            self.targets[rows],
            self.best[rows],
            None if self.images is None else self.images[rows],
            None if self.moments is None else self.moments[:, rows],
        )


@dataclass(frozen=True)
class Climbed:
    """What became of a chunk of climbs.

    Attributes:
        images, moments: as in Climbs, after the round.
        records: of this round alone.
        confirmed: images that were classified once again.
        escaped: (n,) int32, steps at which the objective's gradient had vanished and log p was climbed.
        still: (n,) uint8, 1 where all steps together moved no pixel by half a grey level.
        top1: (n,) int32, what the classifier answers first to the best image, where that was classified once again;
            else -1.
        top1_confidence: (n,) float32, of that class; else NaN.
        nan: climbs that met an image which the classifier has no confidence for, each once, with the round as their
            generation; None where there are none. From such an image no gradient leads on.
    """

    images: NDArray[np.float32]
    moments: NDArray[np.float32] | None
    records: Records
    confirmed: int
    escaped: NDArray[np.int32]
    still: NDArray[np.uint8]
    top1: NDArray[np.int32]
    top1_confidence: NDArray[np.float32]
    nan: NanImages | None = None


@task
def climb(host: Host, shared: Ascent, chunk: Climbs) -> Climbed:
    """The next steps of some climbs."""
    classifier: Classifier = host.classifier
    parties = chunk.keys.children.astype(np.int64) // classifier.images_per_pass
    bounds = [0, *(np.flatnonzero(np.diff(parties)) + 1).tolist(), len(parties)]
    with classifier.numerics.applied(), torch.no_grad():
        mean = mean_of(classifier)
        parts = [
            _Party(classifier, shared, chunk[start:end], mean).climb() for start, end in pairwise(bounds)
        ]
    return _joined(parts)


class _Party:
    """The climbs of one physical batch, which is always whole: climb i has row i modulo its length, and rows of
    climbs that are in another chunk are black. So no result depends on how climbs are cut into chunks; the last
    bits of a gradient do depend on the row (matrix products end with rows of their own)."""

    def __init__(
        self, classifier: Classifier, shared: Ascent, climbs: Climbs, mean: NDArray[np.float32]
    ) -> None:
        self._classifier, self._shared, self._climbs = classifier, shared, climbs
        self._settings = settings = shared.settings
        self._objective = Objective(settings.objective, classifier.spec.output)
        self._size, self._device = classifier.images_per_pass, classifier.numerics.device
        first = int(climbs.keys.children[0]) % self._size
        self._rows = slice(first, first + len(climbs.keys))
        images = climbs.images
        if images is None:
            images = begin(settings, climbs.keys, mean, shared.given, shared.shape)
        self._mean = torch.from_numpy(mean).to(self._device)
        self._start = images
        self._images = self._full(images)
        self._targets = self._full(climbs.targets)
        self._moments: tuple[Tensor, Tensor] | None = None
        if settings.rule == "adam":
            before = np.zeros((2, *images.shape), np.float32) if climbs.moments is None else climbs.moments
            self._moments = (self._full(before[0]), self._full(before[1]))
        self._first = torch.full((1 + len(LEVELS), self._size), NEVER, device=self._device)
        self._levels = torch.tensor(LEVELS, dtype=torch.float32, device=self._device).view(-1, 1)
        self._best_step = torch.full((self._size,), NEVER, device=self._device)
        self._best = torch.full((self._size,), -1.0, device=self._device)
        self._best_pixels = torch.zeros((self._size, *shared.shape), dtype=torch.uint8, device=self._device)
        self._escaped = torch.zeros(self._size, dtype=torch.int32, device=self._device)
        self._nan = torch.zeros(self._size, dtype=torch.bool, device=self._device)
        self._nan_pixels = self._best_pixels

    def climb(self) -> Climbed:
        """All steps of the round."""
        for number in range(self._shared.first, self._shared.last + 1):
            shift = self._shifts(number)
            pixels = to_bytes(self._images if shift is None else shifted(self._images, shift))
            if number == self._settings.steps:  # the last image has nowhere to go
                self._judge(number, pixels, self._classifier.classify(pixels, allow_nan=True))
                break
            confidences, gradients = self._classifier.gradients(pixels, self._seeds, allow_nan=True)
            confidence = self._judge(number, pixels, confidences)
            self._escaped += self._objective.vanished(confidence)
            gradients = gradients if shift is None else shifted(gradients, -shift)
            rules.step(
                self._settings, self._objective, self._images, gradients, confidence, self._moments, number
            )
            regularise(self._settings, self._images, gradients, self._mean, number)
        return self._result()

    def _seeds(self, outputs: Tensor) -> Tensor:
        return self._objective.seeds(outputs, self._targets)

    def _shifts(self, number: int) -> NDArray[np.int64] | None:
        if not self._settings.jitter:
            return None
        by = np.zeros((self._size, 2), np.int64)
        by[self._rows] = shifts(self._climbs.keys, number, self._settings.jitter)
        return by

    def _judge(self, number: int, pixels: Tensor, confidences: Tensor) -> Tensor:
        """Put an image of each climb on record; the confidences of their classes."""
        confidence = confidences.gather(1, self._targets[:, None])[:, 0]
        if (nan := confidence.isnan()).any():
            self._meet_nan(nan, pixels)
            confidences = confidences.nan_to_num(nan=-1.0)
        top = ((confidences.argmax(1) == self._targets) & ~nan)[None]
        passed = torch.cat([top, confidence >= self._levels])
        self._first[passed & (self._first == NEVER)] = number
        better = confidence > self._best
        self._best = torch.where(better, confidence, self._best)
        self._best_step[better] = number
        self._best_pixels = torch.where(better.view(-1, 1, 1, 1), pixels, self._best_pixels)
        return confidence.nan_to_num(nan=1.0)  # where there is no gradient, nothing is left to gain

    def _meet_nan(self, nan: Tensor, pixels: Tensor) -> None:
        """Remember the first image of each climb that the classifier has no confidence for."""
        first = nan & ~self._nan
        self._nan_pixels = torch.where(first.view(-1, 1, 1, 1), pixels, self._nan_pixels)
        self._nan |= nan

    def _result(self) -> Climbed:
        images = self._own(self._images)
        moments = None if self._moments is None else np.stack([self._own(each) for each in self._moments])
        records = Records(
            self._own(self._first.T).astype(np.int32),
            self._own(self._best_step).astype(np.int32),
            self._own(self._best),
            self._own(self._best_pixels),
        )
        confirmed, top1, top1_confidence = self._confirm(records)
        moved = np.abs(images - self._start).reshape(len(images), -1).max(axis=1) * 255
        return Climbed(
            images,
            moments,
            records,
            confirmed,
            self._own(self._escaped),
            (moved < 0.5).astype(np.uint8),
            top1,
            top1_confidence,
            self._met_nan(),
        )

    def _met_nan(self) -> NanImages | None:
        rows = np.flatnonzero(self._own(self._nan))
        if not len(rows):
            return None
        return NanImages(identities(self._climbs.keys)[rows], self._own(self._nan_pixels)[rows[0]])

    def _confirm(self, records: Records) -> tuple[int, NDArray[np.int32], NDArray[np.float32]]:
        """Classify what beats a climb's best once again, in its own row: how many that are, and the first answers, as
        `Climbed` has them."""
        rows = np.flatnonzero(records.best_confidence > self._climbs.best)
        count = len(records.best_confidence)
        top1, top1_confidence = np.full(count, -1, np.int32), np.full(count, np.nan, np.float32)
        if len(rows):
            again = self._own(self._classifier.classify(self._best_pixels, allow_nan=True))
            confidence = again[rows, self._climbs.targets[rows]]
            records.best_confidence[rows] = np.nan_to_num(confidence, nan=-1.0)
            top1[rows], top1_confidence[rows] = first_answers(again[rows])
        return len(rows), top1, top1_confidence

    def _full(self, values: NDArray[Any]) -> Tensor:
        """Values of the climbs on the device, in an array of the batch's length that may be changed."""
        whole = np.zeros((self._size, *values.shape[1:]), values.dtype)
        whole[self._rows] = values
        return torch.from_numpy(whole).to(self._device)

    def _own(self, values: Tensor) -> NDArray[Any]:
        """The inverse of `_full`."""
        return values[self._rows].cpu().numpy()


def to_bytes(images: Tensor) -> Tensor:
    """Images in [0, 1] as 8 bits, rounded exactly as the direct encoding does (`cppn.rendering.colour`)."""
    return (images * 255.0).add_(0.5).to(torch.uint8)


def _joined(parts: list[Climbed]) -> Climbed:
    if len(parts) == 1:
        return parts[0]
    moments = [part.moments for part in parts if part.moments is not None]
    records = [part.records.arrays() for part in parts]
    return Climbed(
        np.concatenate([part.images for part in parts]),
        np.concatenate(moments, axis=1) if moments else None,
        Records(**{name: np.concatenate([each[name] for each in records]) for name in records[0]}),
        sum(part.confirmed for part in parts),
        np.concatenate([part.escaped for part in parts]),
        np.concatenate([part.still for part in parts]),
        np.concatenate([part.top1 for part in parts]),
        np.concatenate([part.top1_confidence for part in parts]),
        NanImages.joined(part.nan for part in parts),
    )
