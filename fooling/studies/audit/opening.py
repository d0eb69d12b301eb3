"""A request made into a subject: the classifier loaded, images and runs read, the folder opened."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers import samples as labelled
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.samples import prepare
from fooling.classifiers.spec import Spec
from fooling.config import RunSettings
from fooling.datasets.images import image_files
from fooling.errors import InvalidError
from fooling.runs.evaluator import open_evaluator
from fooling.runs.executors import ClusterOptions
from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot
from fooling.store.steps import opened as opened_store
from fooling.studies.audit.access import access_of
from fooling.studies.audit.budget import budget_of
from fooling.studies.audit.images import Real, split
from fooling.studies.audit.parts import PARTS
from fooling.studies.audit.request import Request
from fooling.studies.audit.subject import Subject
from fooling.studies.protocol import Progress, Report, Resources
from fooling.version import __version__

RECORD = "audit.json"
KIND = "fooling audit inputs"


@contextmanager
def opened(
    request: Request, report: Report | None, stopping: threading.Event, resources: Resources
) -> Iterator[Subject]:
    """The subject of a request, for as long as the block lasts.

    Raises:
        FoolingError: the classifier, the images or a run can't be read; or the folder was begun for something else.
    """
    budget = budget_of(request.depth)
    with ExitStack() as stack:
        run = RunSettings(workers=resources.workers or None, address=resources.address)
        evaluator = stack.enter_context(
            open_evaluator(
                request.model,
                run=run,
                trust=resources.trust,
                stopping=stopping,
                cluster=ClusterOptions(resources.wait, resources.notify),
            )
        )
        classifier = evaluator.classifier
        real = _real(request, classifier.spec, budget.real)
        ood = (
            None
            if request.ood is None
            else _natural(request.ood, classifier.spec, budget.negatives, request.seed)
        )
        given, foreign = _runs(request.runs, classifier)
        folder = request.out or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="fooling-audit-"))
        )
        inputs = _inputs(request, classifier, real, [*given, *foreign])
        store = stack.enter_context(opened_store(folder, RECORD, KIND, inputs))
        yield Subject(
            request=request,
            evaluator=evaluator,
            access=access_of(classifier, request.layer, real is not None),
            real=real,
            budget=budget,
            store=store,
            ood=ood,
            given=given,
            foreign=foreign,
            say=_sayer(report, request.parts),
            stopping=stopping,
            resources=resources,
        )


def _inputs(
    request: Request, classifier: Classifier, real: Real | None, runs: Sequence[Snapshot]
) -> dict[str, Any]:
    """What all results follow from. What only reads them, as rules do, is not part of it."""
    asked = request.model_dump(
        mode="json", exclude={"out", "parts", "fail_on", "baseline", "runs", "samples"}
    )
    return {
        "version": __version__,
        "asked": asked,
        "fingerprint": classifier.fingerprint,
        "images": None if real is None else real.digest,
        "runs": [str(run.directory) for run in runs],
    }


def _real(request: Request, spec: Spec, most: int) -> Real | None:
    return (
        None if request.samples is None else split(labelled.read(request.samples, spec), request.seed, most)
    )


def _natural(path: Path, spec: Spec, most: int, seed: int) -> NDArray[np.uint8]:
    """Natural images of none of the classes: a random part of an IDX folder's, or of the image files in a folder.

    Raises:
        InvalidError: there are none.
    """
    from fooling.datasets.parts import parts_of

    random = np.random.Generator(np.random.Philox(key=seed))
    files = image_files(path, deep=True) if path.is_dir() else []
    if files:
        chosen = random.permutation(len(files))[:most]
        return np.stack([prepare(files[index], spec) for index in np.sort(chosen)])
    arrays = [part.arrays() for part in parts_of(path).values() if part.arrays is not None]
    if not arrays:
        raise InvalidError(f"{path}: expected a folder of images, IDX files or an .npz, found none")
    images = np.concatenate([part.images for part in arrays])
    if images.shape[1:] != spec.image_shape:
        raise InvalidError(
            f"{path}: expected images of shape {spec.image_shape} for {spec.name}, found {images.shape[1:]}"
        )
    return images[np.sort(random.permutation(len(images))[:most])]


def _runs(paths: Sequence[Path], classifier: Classifier) -> tuple[tuple[Snapshot, ...], tuple[Snapshot, ...]]:
    """The given runs: of this classifier, and of others whose images have its shape.

    Raises:
        InvalidError: a run whose images it can't be shown.
    """
    own: list[Snapshot] = []
    foreign: list[Snapshot] = []
    for path in paths:
        run = open_run(path)
        if run.archive.pixels.shape[1:] != classifier.spec.image_shape:
            raise InvalidError(
                f"{path}: expected images of shape {classifier.spec.image_shape} for {classifier.spec.name}, found "
                f"{run.archive.pixels.shape[1:]}"
            )
        same = run.spec.classifier.fingerprint == classifier.fingerprint
        (own if same else foreign).append(run)
    return tuple(own), tuple(foreign)


def _sayer(report: Report | None, parts: Sequence[str]) -> Any:
    """Reports each step; the parts that are begun are counted."""
    names = [name for name in PARTS if not parts or name in parts]
    begun: set[str] = set()

    def say(text: str) -> None:
        folder, _, name = text.partition("/")
        if folder == "parts":
            begun.add(name)
        if report is not None:
            report(Progress(max(0, len(begun) - 1), len(names), text))

    return say
