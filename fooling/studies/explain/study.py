"""The study of explanation: what of an image makes a classifier sure, and is it texture, layout, or a band of frequencies?"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from fooling.classifiers import samples
from fooling.config import RunSettings
from fooling.datasets.samples import Samples
from fooling.errors import FoolingError, Interrupted, NotFoundError
from fooling.runs.evaluator import Evaluator
from fooling.runs.executors import ClusterOptions, numerics_here
from fooling.runs.foreign import refuse_server
from fooling.runs.hosting import HostSpec, expect_same
from fooling.store.reading import lineage_of, open_run
from fooling.store.snapshot import Snapshot, empty_archive
from fooling.store.steps import StepStore, opened
from fooling.studies.explain import attributions, evidence
from fooling.studies.explain.bands import bands
from fooling.studies.explain.cam import looked
from fooling.studies.explain.curves import curve
from fooling.studies.explain.information import Information, information
from fooling.studies.explain.network import network
from fooling.studies.explain.probes import Probe, probe
from fooling.studies.explain.removal import SURE, remove
from fooling.studies.explain.result import Explained, Few, Group, Map, Request, Result, Trust
from fooling.studies.explain.sparse import convince
from fooling.studies.lineage import replay, walk
from fooling.studies.protocol import HERE, Failure, Progress, Report, Resources
from fooling.studies.rank_tests import wilcoxon

__all__ = ["Request", "Result", "study"]

RECORD = "explain.json"
KIND = "fooling explain inputs"
IMAGES = 500  # that are asked about at a time, about
MOST = 10  # elites, where no classes are named
VALUES = (10, 30, 100, 300)  # of a black image that are moved
BFGS_STEPS = 60
INFORMED = 1000  # real images of which layers tell
LAYERS = 8  # at most
REAL = 50  # real images that are probed
ALPHA = 0.01


def study(
    request: Request,
    *,
    report: Report | None = None,
    stopping: threading.Event | None = None,
    resources: Resources = HERE,
) -> Result:
    """Explain elites. What was interrupted goes on from what its folder keeps; see `fooling.studies.protocol.Study`."""
    stopping = stopping or threading.Event()
    with _opened(request, stopping, resources) as subject:
        elites, failures = [], []
        for done, number in enumerate(subject.classes, 1):
            if stopping.is_set():
                raise Interrupted
            kept = subject.store.once(subject.step(number), partial(_explained, subject, number))
            elites.append(Explained.model_validate(kept, strict=False))
            if report is not None:
                report(Progress(done, len(subject.classes) + 1, subject.run.labels[number]))
        try:
            groups, told = list(_groups(subject, elites)), list(_information(subject))
        except Interrupted:
            raise
        except FoolingError as error:
            groups, told = [_group("elites", [one.probe for one in elites])], []
            failures.append(Failure(what="probes beside the elites", reason=str(error)))
        return _result(subject, elites, groups, told, failures)


@dataclass(frozen=True)
class _Subject:
    """What is explained.

    Attributes:
        run: the run.
        evaluator: its classifier, opened.
        store: what is done once and kept.
        classes: whose elites are explained.
        bred: the ancestors that were bred once more, by class.
    """

    request: Request
    run: Snapshot
    evaluator: Evaluator
    store: StepStore
    classes: tuple[int, ...]
    bred: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    def step(self, number: int) -> str:
        """The name of what is kept of the elite of a class: another elite has another."""
        of = "-".join(map(str, self.run.ids[number].tolist()))
        return f"elites/{number:04d}-{of}-{self.request.origin}-{self.request.seed}"

    def random(self, number: int, purpose: int) -> np.random.Generator:
        """Random numbers for one elite and one purpose."""
        key = np.random.SeedSequence([self.request.seed, number, purpose])
        return np.random.Generator(np.random.Philox(key))

    def image(self, number: int) -> NDArray[np.uint8]:
        """(H, W, C) uint8: the elite of a class."""
        return np.asarray(self.run.stored_pixels[self.run.stored_rows[number]])

    def origin(self, number: int) -> NDArray[np.uint8]:
        """(H, W, C) uint8: what is shown where a part of that elite is taken away."""
        if self.request.origin == "ancestor":
            return self.ancestor(number)
        return evidence.origin_of(self.image(number), self.request.origin)

    def ancestor(self, number: int) -> NDArray[np.uint8]:
        """(H, W, C) uint8: the ancestor of an elite in the first generation, bred once more."""
        if number not in self.bred:
            family = walk.ancestors(self.records, tuple(self.run.ids[number].tolist()))
            first = walk.line(family)[0]
            self.bred[number] = replay.redrawn(self.run, family)[family.index(first)]
        return self.bred[number]

    @cached_property
    def records(self) -> NDArray[np.int32]:
        """The lineage of the run."""
        return lineage_of(self.run)

    @cached_property
    def real(self) -> Samples | None:
        """The real images; None where none were given."""
        if self.request.samples is None:
            return None
        return samples.read(self.request.samples, self.evaluator.classifier.spec)


@contextmanager
def _opened(request: Request, stopping: threading.Event, resources: Resources) -> Iterator[_Subject]:
    """What a request asks about, for as long as the block lasts.

    Raises:
        FoolingError: the run or its classifier can't be read; a class without an elite.
    """
    run = open_run(request.run)
    if not resources.trust:
        refuse_server(run.directory, run.spec.config)
    classes = _classes(run, request.classes)
    settings = RunSettings(workers=resources.workers or None, address=resources.address)
    cluster = ClusterOptions(resources.wait, resources.notify)
    host = HostSpec.of(run.spec.config, numerics_here(settings), trust=resources.trust)
    classifier = host.classifier()
    expect_same(classifier, run.spec, run.directory)
    inputs = {"fingerprint": run.spec.classifier.fingerprint}
    with (
        Evaluator(host, classifier, settings, IMAGES, stopping, cluster) as evaluator,
        opened(request.out or run.directory / "explain", RECORD, KIND, inputs) as store,
    ):
        yield _Subject(request, run, evaluator, store, classes)


def _classes(run: Snapshot, asked: Sequence[int]) -> tuple[int, ...]:
    """The classes that are asked for; or those of the highest confidence, by number."""
    for number in asked:
        if number >= len(run.labels) or not run.occupied[number]:
            raise NotFoundError(f"{run.directory}: class {number} has no elite")
    if asked:
        return tuple(dict.fromkeys(asked))
    held = run.target_classes[run.occupied[run.target_classes]]
    if not len(held):
        raise NotFoundError(f"{run.directory}: there is no elite to explain yet")
    best = held[np.argsort(-run.confidence[held], kind="stable")[:MOST]]
    return tuple(sorted(best.tolist()))


def _explained(subject: _Subject, number: int) -> dict[str, Any]:
    run, image, origin = subject.run, subject.image(number), subject.origin(number)
    asked = subject.evaluator
    height, width = image.shape[:2]
    cells = evidence.grid(height, width)
    encoding = run.spec.config.encoding
    drawn = None
    if encoding.name == "cppn":
        _, renderer = empty_archive(run.spec.config, run.spec.classifier.spec)
        genotype = run.archive.genotypes.take(np.array([run.stored_rows[number]]))
        drawn = network(asked, renderer, genotype, number)
    return Explained(
        number=number,
        label=run.labels[number],
        confidence=float(run.confidence[number]),
        image=f"elites/{number:04d}.png",
        removal=remove(asked, image, origin, cells, number, subject.request.origin),
        maps=tuple(_maps(subject, number, image, origin, cells)),
        probe=probe(asked, image, number, subject.random(number, 0)),
        bands=bands(asked, image, number),
        looked=looked(asked.classifier, image, origin, number),
        few=tuple(_few(subject, number, image)),
        network=drawn,
    ).document()


def _few(subject: _Subject, number: int, image: NDArray[np.uint8]) -> Iterator[Few]:
    """A black image with more and more values moved, until it is enough."""
    classifier = subject.evaluator.classifier
    if not classifier.differentiable or classifier.spec.output != "logits":
        return
    for values in VALUES:
        if values > image.size:
            return
        made = convince(
            classifier, np.zeros_like(image), number, values, subject.random(number, 8), steps=BFGS_STEPS
        )
        yield Few(values=values, changed=made.changed, confidence=made.confidence, calls=made.calls)
        if made.confidence >= SURE:
            return


def _information(subject: _Subject) -> Iterator[Information]:
    """What each layer with weights tells of real images."""
    asked, network, real = subject.evaluator, subject.evaluator.classifier.network, subject.real
    if real is None or not isinstance(network, nn.Module):
        return
    rows = subject.random(0, 10).permutation(len(real))[:INFORMED]
    layers = [
        name for name, module in network.named_modules() if name and isinstance(module, nn.Conv2d | nn.Linear)
    ]
    for place, layer in enumerate(layers[:: -(-len(layers) // LAYERS)]):
        found = asked.evaluate(real.images[rows], features=layer).features
        assert found is not None
        yield information(layer, found, real.labels[rows], subject.random(place, 11))


def _maps(
    subject: _Subject,
    number: int,
    image: NDArray[np.uint8],
    origin: NDArray[np.uint8],
    cells: NDArray[np.int64],
) -> Iterator[Map]:
    asked = subject.evaluator
    made: dict[str, NDArray[np.float64]] = {}
    if asked.classifier.differentiable:
        made["integrated gradients"] = attributions.integrated_gradients(
            asked, image, origin, number, subject.random(number, 1)
        )
        made["SmoothTaylor"] = attributions.smooth_taylor(asked, image, number, subject.random(number, 2))
    cuts: list[NDArray[np.int64]] = []
    if subject.run.spec.config.encoding.name == "cppn":  # superpixels of noise mean nothing
        cuts = [attributions.superpixels(image, count) for count in (16, 49, 196)]
    made["fragments"] = attributions.fragments(asked, image, origin, number, subject.random(number, 3), cuts)
    count = int(cells.max()) + 1
    for place, (method, values) in enumerate(made.items()):
        yield Map(
            method=method,
            side=round(count**0.5),
            cells=tuple(np.bincount(cells.ravel(), values.ravel(), count).tolist()),
            curve=curve(asked, method, values, image, origin, number, subject.random(number, 4 + place)),
        )


def _groups(subject: _Subject, elites: Sequence[Explained]) -> Iterator[Group]:
    """The elites, their ancestors and real images, probed."""
    run, asked = subject.run, subject.evaluator
    yield _group("elites", [one.probe for one in elites])
    if run.spec.config.search.name == "map-elites" and not run.spec.operators:
        first = np.stack([subject.ancestor(number) for number in subject.classes])
        classes = asked.evaluate(first).confidences.argmax(axis=1)
        yield _group("generation 0", _probed(subject, first, classes, 20))
    if (real := subject.real) is not None:
        rows = subject.random(0, 9).permutation(len(real))[:REAL]
        yield _group("real", _probed(subject, real.images[rows], real.labels[rows], 30))


def _probed(subject: _Subject, images: NDArray[np.uint8], classes: NDArray[Any], purpose: int) -> list[Probe]:
    return [
        probe(subject.evaluator, image, int(number), subject.random(place, purpose))
        for place, (image, number) in enumerate(zip(images, classes, strict=True))
    ]


def _group(name: str, probes: Sequence[Probe]) -> Group:
    tiles, powers = probes[0].tiles, probes[0].powers
    shuffled = np.array([one.shuffled for one in probes])
    saturated = np.array([one.saturated for one in probes])
    own = np.maximum(saturated[:, 0], np.finfo(np.float64).tiny)
    middle = tiles.index(4) if 4 in tiles else -1
    return Group(
        name=name,
        n=len(probes),
        tiles=tiles,
        shuffled=tuple(shuffled.mean(axis=0).tolist()),
        powers=powers,
        saturated=tuple(saturated.mean(axis=0).tolist()),
        left_shuffled=float(np.median(shuffled[:, middle] / own)),
        left_saturated=float(np.median(saturated[:, -1] / own)),
    )


def _result(
    subject: _Subject,
    elites: Sequence[Explained],
    groups: Sequence[Group],
    told: Sequence[Information],
    failures: Sequence[Failure],
) -> Result:
    run = subject.run
    cells = [len(one.removal.needed) / one.removal.side**2 for one in elites if one.removal.needed]
    edges = [
        one.network.needed / max(1, len(one.network.edges))
        for one in elites
        if one.network is not None and one.network.needed is not None
    ]
    values = [one.few[-1].changed for one in elites if one.few and one.few[-1].confidence >= SURE]
    not_measured = {}
    if not subject.evaluator.classifier.differentiable:
        not_measured["integrated gradients, SmoothTaylor"] = (
            "they need gradients, which the classifier does not give"
        )
    return Result(
        run=str(run.directory),
        model=run.spec.model,
        encoding=run.spec.config.encoding.name,
        shape=run.stored_pixels.shape[1:],
        origin=subject.request.origin,
        elites=tuple(elites),
        groups=tuple(groups),
        trust=tuple(_trust(elites)),
        cells_needed=float(np.median(cells)) if cells else None,
        edges_needed=float(np.median(edges)) if edges else None,
        half_radius=float(np.median([one.bands.half for one in elites])),
        values_needed=float(np.median(values)) if values else None,
        information=tuple(told),
        not_measured=not_measured,
        failures=tuple(failures),
    )


def _trust(elites: Sequence[Explained]) -> Iterator[Trust]:
    for place, first in enumerate(elites[0].maps):
        curves = [one.maps[place].curve for one in elites]
        areas = np.array([(one.deletion_area, one.random_deletion_area) for one in curves])
        test = wilcoxon(areas[:, 1], areas[:, 0])
        yield Trust(
            method=first.method,
            n=len(curves),
            deletion=float(areas[:, 0].mean()),
            random=float(areas[:, 1].mean()),
            better=float((areas[:, 0] < areas[:, 1]).mean()),
            p=test.p,
            beats_random=test.direction(ALPHA) > 0,
        )
