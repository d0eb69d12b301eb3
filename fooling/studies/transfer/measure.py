"""The elites of runs, classified by other networks than they were evolved for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive import called, first_answers
from fooling.classifiers import Classifier, Spec
from fooling.config import resolve
from fooling.errors import FoolingError, InvalidError
from fooling.runs.evaluator import Evaluator, in_channels, open_evaluator
from fooling.runs.executors import ClusterOptions
from fooling.runs.hosting import expect_answers
from fooling.sizes import size_of
from fooling.store.snapshot import Snapshot, renderer
from fooling.studies.protocol import HERE, Resources
from fooling.studies.transfer.labels import NONE, matched

TOP = 5


@dataclass(frozen=True)
class Source:
    """The elites of a run that are to be shown to others.

    Attributes:
        run: the run.
        classes: (n,) int64, the class that each elite was evolved for.
    """

    run: Snapshot
    classes: NDArray[np.int64]

    @property
    def confidences(self) -> NDArray[np.float32]:
        """(n,) float32, the confidence of the run's own classifier in each elite."""
        return self.run.confidence[self.classes]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """(n, H, W, C) uint8, the elites as they were classified."""
        return self.run.stored_pixels[self.run.stored_rows[self.classes]]


@dataclass(frozen=True)
class Responses:
    """What a target says of a source's elites.

    Attributes:
        source: the elites.
        target: the SPEC of the target.
        labels: the names of the target's classes.
        classes: (n,) int64, the target's class that each image was evolved to be; -1 where it has no such class.
        rank: (n,) int64, how many classes the target finds likelier than that one; 0 is top-1, -1 stands for no class.
        confidence: (n,) float32, the target's in that class; NaN where it has none.
        top: (n,) int64, the class that the target answers first (`fooling.archive.called`).
        top_confidence: (n,) float32, the target's in that first answer.
    """

    source: Source
    target: str
    labels: tuple[str, ...]
    classes: NDArray[np.int64]
    rank: NDArray[np.int64]
    confidence: NDArray[np.float32]
    top: NDArray[np.int64]
    top_confidence: NDArray[np.float32]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n,): whether the target has the image's class."""
        return self.classes != NONE

    @property
    def same_top1(self) -> NDArray[np.bool_]:
        """(n,): whether the target's top-1 is the class that the image was evolved for."""
        return self.rank == 0

    @property
    def same_top5(self) -> NDArray[np.bool_]:
        """(n,): whether that class is among the target's five likeliest."""
        return (self.rank >= 0) & (self.rank < TOP)


def source_of(run: Snapshot, least: float = 0.0) -> Source:
    """The elites of a run with a confidence of at least `least`.

    Raises:
        InvalidError: there are none.
    """
    held = np.flatnonzero(run.occupied)
    classes = held[run.confidence[held] >= np.float32(least)]
    if not len(classes):
        highest = f"none above {float(run.confidence[held].max()):.6g}" if len(held) else "none at all"
        raise InvalidError(
            f"{run.directory}: expected elites of a confidence of at least {least:g}, found {highest}"
        )
    return Source(run, classes)


def measure(
    sources: Sequence[Source],
    target: str,
    *,
    rerender: bool = False,
    resources: Resources = HERE,
    stopping: threading.Event | None = None,
) -> list[Responses]:
    """Show the elites of all sources to one target.

    Args:
        target: a model SPEC.
        rerender: draw CPPNs anew at the target's own size, instead of resizing their pixels, which stretches
            them where its aspect ratio differs.
        resources, stopping: see `fooling.studies.protocol.Study`.

    Returns:
        What the target says of each source.

    Raises:
        FoolingError: the target can't be loaded, or has no labels in common with a source; or an image can't
            be rendered anew.
        Interrupted: it was stopped.
    """
    alike: dict[tuple[Any, ...], list[int]] = {}  # sources that are shown to the target in the same way
    for number, source in enumerate(sources):
        size = None if rerender else size_of(source.pixels.shape[1:3])
        alike.setdefault((size, source.run.spec.config.classifier.views), []).append(number)
    place = {"run.workers": resources.workers or None, "run.address": resources.address}
    run = resolve(None, [], {key: value for key, value in place.items() if value is not None}).run
    found: dict[int, Responses] = {}
    for (size, views), numbers in alike.items():
        with open_evaluator(
            target,
            size=size,
            views=views,
            run=run,
            trust=resources.trust,
            stopping=stopping,
            cluster=ClusterOptions(resources.wait, resources.notify),
        ) as evaluator:
            shown = _shown_to(evaluator, target, [sources[n] for n in numbers], rerender)
        found |= dict(zip(numbers, shown, strict=True))
    return [found[number] for number in range(len(sources))]


def _shown_to(
    evaluator: Evaluator, target: str, sources: Sequence[Source], rerender: bool
) -> list[Responses]:
    """The responses of a target to sources that are shown to it in the same way."""
    spec = evaluator.classifier.spec
    for source in sources:
        _expect_home(source, evaluator.classifier, target)
    plans = [
        (source, _classes_for(source, spec, target), _images_for(source, spec, rerender))
        for source in sources
    ]
    return [
        respond(source, target, spec.labels, classes, evaluator.evaluate(pixels).confidences)
        for source, classes, pixels in plans
    ]


def _expect_home(source: Source, classifier: Classifier, target: str) -> None:
    """Where a target is a source's own classifier, by its fingerprint, it has to answer as that did.

    Raises:
        InvalidError: it does not.
    """
    home = source.run.spec
    if classifier.fingerprint == home.classifier.fingerprint:
        what = f"{target} is not the classifier that {source.run.directory} was made with"
        expect_answers(classifier, home, what)


def _classes_for(source: Source, spec: Spec, target: str) -> NDArray[np.int64]:
    """(n,) int64: the target's class of each elite; -1 where it has none."""
    own = source.run.spec.classifier.spec
    try:
        table = matched(source.run.labels, spec.labels, own.wordnet, spec.wordnet)
    except InvalidError as error:
        raise InvalidError(f"{source.run.directory} to {target}: {error}") from None
    return table[source.classes]


def _images_for(source: Source, spec: Spec, rerender: bool) -> NDArray[np.uint8]:
    """(n, height, width, channels) uint8 as the target takes them."""
    pixels = source.pixels
    if rerender:
        draw = renderer(source.run)
        if draw is None:
            raise FoolingError(
                f"{source.run.directory}: only CPPNs with normalised coordinates can be drawn at another size; "
                "leave out --rerender"
            )
        pixels = draw(spec.size)[source.run.stored_rows[source.classes]]
    return in_channels(pixels, spec.channels)


def respond(
    source: Source,
    target: str,
    labels: tuple[str, ...],
    classes: NDArray[np.int64],
    confidences: NDArray[np.float32],
) -> Responses:
    """A target's responses.

    Args:
        labels: the names of the target's classes.
        classes: (n,) int64, the target's class of each elite; -1 where it has none.
        confidences: (n, K) float32, what the target says of each elite.
    """
    rows, known = np.arange(len(classes)), classes != NONE
    own = np.where(known, confidences[rows, classes], np.float32(np.nan))
    likelier = confidences > own[:, None]
    top1, top1_confidence = first_answers(confidences)
    return Responses(
        source,
        target,
        labels,
        classes,
        np.where(known, likelier.sum(axis=1), NONE),
        own,
        called(classes, own, top1, top1_confidence),
        top1_confidence,
    )
