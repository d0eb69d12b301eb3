"""What is computed with, in this process or on a worker: a classifier, checked, and the operators around it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from deap.base import Toolbox

from cppn.keys import Keys
from fooling import classifiers, encodings
from fooling import search as searches
from fooling.classifiers import answers
from fooling.classifiers.check import check
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.numerics import resolve as resolve_numerics
from fooling.classifiers.sources.ensemble import Ensemble
from fooling.config import ResolvedSettings, RunSettings, Settings
from fooling.encodings.protocol import Encoding
from fooling.encodings.settings import EncodingSettings
from fooling.errors import FoolingError, InvalidError
from fooling.search import tasks  # noqa: F401 - registers what hosts compute
from fooling.search import toolbox as toolboxes
from fooling.sizes import Size
from fooling.store.memory import expect_room
from fooling.store.spec import RunSpec
from workers.host import Host
from workers.local import default_evaluators, prepare_thread

OBJECT = "object"  # stands in the model's SPEC where a Python program gave the classifier itself
SMALL_IMAGE = 64 * 64  # of so many values at most, chunks of two batches are worth their memory
Customise = Callable[[Toolbox], None]


@dataclass(frozen=True)
class HostSpec:
    """What makes a host, the same on every machine.

    Attributes:
        model: the classifier, as `source:name`.
        numerics: how the classifier computes.
        trust: whether the model may bring code of its own.
        given: the classifier itself, where a Python program gave it.
        size: the size of the images that it is shown; None: its own.
        views: "ten": each image is shown as ten crops; None: as its spec says.
        encoding: the encoding that the host breeds and renders with; None: the host only classifies.
        customise: called with the toolbox, to swap operators.
        member: the network of an ensemble that is asked alone; None: all of them.
        folder: the folder that relative paths start from.
    """

    model: str
    numerics: Numerics
    trust: bool = False
    given: classifiers.Classifier | None = None
    size: Size | None = None
    views: Literal["ten"] | None = None
    encoding: EncodingSettings | None = None
    customise: Customise | None = None
    member: int | None = None
    folder: str = field(default_factory=os.getcwd)

    @classmethod
    def of(cls, settings: Settings, numerics: Numerics, **others: Any) -> HostSpec:
        """What makes the host of a run with these settings.

        Args:
            others: further fields, by name.
        """
        encoding, views = settings.encoding, settings.classifier.views
        return cls(settings.model, numerics, size=encoding.size, views=views, encoding=encoding, **others)

    def classifier(
        self, expect: Callable[[classifiers.Classifier], None] = lambda _: None
    ) -> classifiers.Classifier:
        """The classifier, shown images of the size and in the views that are asked for, and checked.

        Args:
            expect: called with the classifier as its spec describes it, before anything is computed; it raises what it
                finds wrong.

        Raises:
            FoolingError: it can't be loaded, or is broken.
        """
        if self.given is None and self.model.startswith(f"{OBJECT}:"):
            raise InvalidError(f"this run was given its classifier ({self.model}) from Python: give it again")
        base = self._whole(self.numerics) if self.member is None else self._alone(self.member)
        expect(base)
        shown = base.with_input(self.size, self.views)
        try:
            check(base).raise_for_failures()
            if shown is not base:
                check(shown).raise_for_failures()
        except torch.OutOfMemoryError:
            raise FoolingError(
                f"{base.spec.name}: out of memory on {base.numerics.device} in the check before the run; "
                "use another device or a smaller network"
            ) from None
        return shown

    def _whole(self, numerics: Numerics) -> classifiers.Classifier:
        if self.given is not None:
            return self.given.with_numerics(numerics)
        return classifiers.load(self.model, numerics=numerics, trust=self.trust)

    def _alone(self, member: int) -> classifiers.Classifier:
        """One network of an ensemble. The others are loaded beside it only in this machine's memory: they may
        not fit the device."""
        whole = self._whole(replace(self.numerics, device="cpu"))
        return members_of(whole)[member].with_numerics(self.numerics)

    def host(self, classifier: classifiers.Classifier) -> tuple[Host, dict[str, str]]:
        """The operators around a classifier, and the names of those that `customise` swapped."""
        device, encoding = classifier.numerics.device, self._encoding(classifier)
        toolbox = toolboxes.build(encoding, classifier, device)
        host = Host(toolbox, classifier)
        if self.customise is None:
            return host, {}
        self.customise(toolbox)
        return host, toolboxes.replaced(toolbox, toolboxes.build(encoding, classifier, device))

    def load_kernels(self, classifier: classifiers.Classifier) -> None:
        """Let a worker load the compiled kernels while it starts, not while others wait for its first chunk."""
        if (encoding := self._encoding(classifier)) is not None:
            keys = Keys.of_generation(0, 0, 2)
            parents = encoding.mutate(encoding.initialise(keys), keys)
            encoding.render(encoding.mate(parents, parents.take([1, 0]), keys))

    def _encoding(self, classifier: classifiers.Classifier) -> Encoding[Any] | None:
        if self.encoding is None:
            return None
        return encodings.create(self.encoding, classifier.spec.size, classifier.spec.colour)


def expect_same(classifier: classifiers.Classifier, spec: RunSpec, directory: Path) -> None:
    """Refuse a classifier that is not the one of a run.

    Raises:
        InvalidError: its fingerprint is another, or the same and it answers otherwise.
    """
    what = f"{spec.model} is not the classifier that {directory} was made with"
    was, now = spec.classifier.fingerprint, classifier.fingerprint
    # Runs from before the answers were kept know no hidden state either.
    if was != now and (spec.classifier.answers or was != classifier.former_fingerprint):
        raise InvalidError(f"{what}: its fingerprint was {was[:12]}, now it is {now[:12]}")
    expect_answers(classifier, spec, what)


def expect_answers(classifier: classifiers.Classifier, spec: RunSpec, what: str) -> None:
    """Refuse a classifier of a run's fingerprint that answers otherwise than the run's. Manifests from before
    the answers were kept say nothing.

    Args:
        what: begins the message.

    Raises:
        InvalidError: its weights are others.
    """
    if kept := spec.classifier.answers:
        answers.expect(kept, classifier.answers, what)


def expect_operators(found: dict[str, str], spec: RunSpec, directory: Path) -> None:
    """Refuse operators that are not those of a run.

    Args:
        found: the names of those that were swapped, and what each is.

    Raises:
        InvalidError: they are others.
    """
    if found != spec.operators:
        raise InvalidError(
            f"{directory} was made with the operators {spec.operators or 'of the encoding'}, found "
            f"{found or 'those of the encoding'}; pass the same `customise`"
        )


def members_of(classifier: classifiers.Classifier) -> list[classifiers.Classifier]:
    """The networks of an ensemble, each as an ensemble of its own: they answer as they do among the others.

    Raises:
        InvalidError: it is no ensemble, or one that cuts ten crops for its members: their mean is taken last,
            and rounded otherwise.
    """
    network = classifier.network
    if not isinstance(network, Ensemble):
        raise InvalidError(f"run.spread: expected an ensemble, found {classifier.spec.name}")
    if classifier.spec.views > 1:
        raise InvalidError(
            "run.spread: expected ten crops in the members' own specs, found them in the ensemble's"
        )
    members = [network.only(number) for number in range(len(network.members))]
    return [
        classifiers.Classifier(one, classifier.spec, classifier.numerics, identity=one.identity)
        for one in members
    ]


def build(spec: HostSpec) -> Host:
    """The host that a worker computes on.

    Raises:
        FoolingError: the classifier can't be loaded there, or is broken; or no such device.
    """
    with suppress(OSError):  # a cluster's other machines may lack it; what is missed there is named there
        os.chdir(spec.folder)
    numerics = spec.numerics
    here = resolve_numerics(
        numerics.device, numerics.threads, numerics.layout, numerics.batch, numerics.compiled
    )
    prepare_thread(here.device, here.threads)
    spec = replace(spec, numerics=here)
    classifier = spec.classifier()
    spec.load_kernels(classifier)
    return spec.host(classifier)[0]


def resolve(settings: Settings, classifier: classifiers.Classifier) -> ResolvedSettings:
    """The settings with everything filled in that depends on the classifier."""
    search, encoding = searches.fit(settings.search, settings.encoding, classifier)
    fitted, spec = settings.model_copy(update={"search": search, "encoding": encoding}), classifier.spec
    return ResolvedSettings.of(fitted, spec.size, spec.colour, len(spec.labels))


def expect_room_for(settings: Settings) -> Callable[[classifiers.Classifier], None]:
    """Refuses a classifier whose elites, under these settings, can't fit this machine."""

    def expect(classifier: classifiers.Classifier) -> None:
        spec = classifier.spec
        any_colour = settings.encoding.model_copy(update={"colour": None})  # which is checked later
        encoding = encodings.create(any_colour, spec.size, spec.colour)
        expect_room(settings, encoding, len(spec.labels), on_device=classifier.numerics.device != "cpu")

    return expect


def evaluators_of(run: RunSettings, device: str) -> int:
    """How many chunks are computed at once in this process."""
    return run.evaluators or default_evaluators(device, run.threads)


def chunk_of(settings: ResolvedSettings, classifier: classifiers.Classifier, evaluators: int) -> int:
    """How many children a chunk has, where the settings don't say: as many as a forward pass has images;
    twice as many where images are small and there is work enough for all, since a chunk of small images
    costs little more than its start. Changes no result."""
    if settings.run.chunk is not None:
        return settings.run.chunk
    batch, spec = classifier.numerics.batch, classifier.spec
    small = math.prod(spec.image_shape) <= SMALL_IMAGE
    return 2 * batch if small and settings.search.population >= 2 * batch * evaluators else batch
