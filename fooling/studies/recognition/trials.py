"""What a person is shown: elites among real images of the same classes, in an order that tells nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fooling.errors import FoolingError, InvalidError
from fooling.store.people import Mode, Trial

if TYPE_CHECKING:
    from fooling.datasets.reading import Listed
    from fooling.store.snapshot import Snapshot


@dataclass(frozen=True)
class Shown:
    """An image that is shown.

    Attributes:
        trial: what it is.
        pixels: (H, W, C) uint8.
    """

    trial: Trial
    pixels: NDArray[np.uint8]


def draw(view: Snapshot, samples: Listed | None, mode: Mode, count: int, seed: int) -> tuple[Shown, ...]:
    """What is shown in a session: half of it elites, half real images, as far as there are; the same seed shows the same.

    Elites are drawn first among classes of which there are real images, each image once. Where two labels are offered,
    only elites are shown that the classifier answers with their own class first: it gave the others another label.

    Args:
        samples: real images; None where there are none.
        count: how many images are wanted.

    Raises:
        InvalidError: the run has no elite that can be shown, or no two labels.
    """
    if len(set(view.labels)) < 2:
        raise InvalidError("expected a run with two labels or more: there is nothing to tell apart")
    random = np.random.Generator(np.random.Philox(key=seed))
    classes = random.permutation(_eligible(view, mode))
    if not len(classes):
        raise InvalidError(
            "this run has no elite yet" if mode == "naming" or not view.occupied.any()
            else "the classifier answers no elite of this run with its own class first, so none has a label to guess"
        )  # fmt: skip
    known = np.unique(samples.labels) if samples is not None else np.zeros(0, np.int64)
    classes = classes[np.argsort(~np.isin(classes, known), kind="stable")]
    chosen = classes[: count - (count // 2 if len(known) else 0)].tolist()
    real = (
        [] if samples is None else list(islice(_real(samples, chosen, random), min(count // 2, len(chosen))))
    )
    shown = [_elite(view, number) for number in chosen] + real
    if mode == "choice":
        shown = [_offering(one, view, random) for one in shown]
    return tuple(shown[place] for place in random.permutation(len(shown)))


def again(view: Snapshot, samples: Listed | None, trials: Sequence[Trial]) -> list[NDArray[np.uint8] | None]:
    """The pixels of what was shown before; None where that image is no longer there."""
    return [_again(view, samples, trial) for trial in trials]


def digest(pixels: NDArray[np.uint8]) -> str:
    """What tells an image from others."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:32]


def _eligible(view: Snapshot, mode: Mode) -> NDArray[np.int64]:
    """The classes whose elites can be shown, each distinct image under the class that it is surest in."""
    numbers = np.flatnonzero(view.occupied)
    if mode == "choice":
        first = view.top1[numbers]
        numbers = numbers[(first < 0) | (first == numbers)]
    numbers = numbers[np.argsort(-view.confidence[numbers], kind="stable")]
    _, places = np.unique(view.stored_rows[numbers], return_index=True)
    return np.sort(numbers[places])


def _elite(view: Snapshot, number: int) -> Shown:
    pixels = view.archive.pixels[view.stored_rows[number]]
    confidence = float(view.confidence[number])
    return Shown(Trial(number=number, image=digest(pixels), confidence=confidence), pixels)


def _real(samples: Listed, classes: Sequence[int], random: np.random.Generator) -> Iterator[Shown]:
    """Real images of some classes, one of each, then another of each, and so on. What can't be opened is left out."""
    waiting = [random.permutation(np.flatnonzero(samples.labels == number)).tolist() for number in classes]
    seen: set[str] = set()
    while any(waiting):
        for number, left in zip(classes, waiting, strict=True):
            while left:
                sample = left.pop()
                try:
                    pixels = samples.image(sample)
                except FoolingError:
                    continue
                if (name := digest(pixels)) in seen:
                    continue
                seen.add(name)
                yield Shown(Trial(number=number, image=name, sample=sample), pixels)
                break


def _offering(shown: Shown, view: Snapshot, random: np.random.Generator) -> Shown:
    """The image with its label and another to choose from, that of a class which has an elite, in either order."""
    mine = view.labels[shown.trial.number]
    others = [number for number in np.flatnonzero(view.occupied).tolist() if view.labels[number] != mine]
    others = others or [number for number, label in enumerate(view.labels) if label != mine]
    pair = [shown.trial.number, others[int(random.integers(len(others)))]]
    first = int(random.integers(2))
    return Shown(shown.trial.model_copy(update={"offered": (pair[first], pair[1 - first])}), shown.pixels)


def _again(view: Snapshot, samples: Listed | None, trial: Trial) -> NDArray[np.uint8] | None:
    if trial.sample is not None:
        if samples is None or trial.sample >= len(samples.labels):
            return None
        try:
            pixels = samples.image(trial.sample)
        except FoolingError:
            return None
    elif view.stored_rows[trial.number] >= 0:
        pixels = view.archive.pixels[view.stored_rows[trial.number]]
    else:
        return None
    return pixels if digest(pixels) == trial.image else None
