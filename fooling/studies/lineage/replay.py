"""Ancestors that the run did not keep, bred once more.

A child is a pure function of its parents and its key (contract 3 of docs/architecture.md), so the images come out as
they were, bit for bit.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cppn.keys import Keys
from fooling.errors import Interrupted, InvalidError
from fooling.runs.foreign import refuse_server
from fooling.runs.hosting import Customise, HostSpec, expect_operators, expect_same
from fooling.search import toolbox as toolboxes
from fooling.search.breeding import Offspring, vary
from fooling.store.snapshot import Snapshot, empty_archive
from fooling.studies.lineage.walk import Ancestor, Identity


@dataclass(frozen=True)
class Replayed:
    """A family, bred once more.

    Attributes:
        family: the n members, by generation; the elite comes last.
        genotypes: their genotypes, a population of n.
        pixels: (n, H, W, C) uint8, their images.
        confidences: (n, K) float32, what the run's classifier says of the images.
    """

    family: list[Ancestor]
    genotypes: Any
    pixels: NDArray[np.uint8]
    confidences: NDArray[np.float32]


def replay(
    view: Snapshot,
    family: Sequence[Ancestor],
    customise: Customise | None = None,
    trust: bool = False,
    stopping: threading.Event | None = None,
) -> Replayed:
    """Breed a family once more, and classify it under the numerics of the run.

    Args:
        family: the members, with the parents of each, by generation; the elite comes last.
        customise: swaps the operators as when the run was started; needed where it was given then.
        trust: let the model bring code of its own, whatever the manifest says.
        stopping: when it is set, breeding ends before the next generation.

    Raises:
        InvalidError: a search that does not breed by keys; operators or a classifier that are missing; what comes
            out is not what the run kept.
        Interrupted: it was stopped.
    """
    spec, settings = view.spec, view.spec.config
    if settings.search.name != "map-elites":
        raise InvalidError(
            f"{view.directory}: expected a run of map-elites, found {settings.search.name}: its images can't be "
            "made again from keys"
        )
    if not trust:
        refuse_server(view.directory, settings)
    numerics = replace(spec.numerics, device="cpu")
    spec_of_host = HostSpec.of(settings, numerics, trust=trust, customise=customise)
    classifier = spec_of_host.classifier()
    expect_same(classifier, spec, view.directory)
    host, swapped = spec_of_host.host(classifier)
    expect_operators(swapped, spec, view.directory)
    genotypes = _bred(host.toolbox, family, view, stopping)
    pixels = host.toolbox.render(genotypes)
    _check(view, family[-1], pixels[-1])
    return Replayed(list(family), genotypes, pixels, host.toolbox.classify(pixels))


def redrawn(view: Snapshot, family: Sequence[Ancestor]) -> NDArray[np.uint8]:
    """Breed a family once more with the operators of the encoding, without the classifier.

    Returns:
        (n, H, W, C) uint8: its images.

    Raises:
        InvalidError: the run had operators of its own; or the youngest is not what the run kept.
    """
    if view.spec.operators:
        raise InvalidError(
            f"{view.directory} was made with operators of its own ({', '.join(view.spec.operators)}): its images can't "
            "be bred again without them"
        )
    _, encoding = empty_archive(view.spec.config, view.spec.classifier.spec)
    pixels = encoding.render(_bred(toolboxes.build(encoding, None), family, view))
    _check(view, family[-1], pixels[-1])
    return pixels


def _bred(
    toolbox: Any, family: Sequence[Ancestor], view: Snapshot, stopping: threading.Event | None = None
) -> Any:
    """The genotypes of the family, bred a generation at a time."""
    _, encoding = empty_archive(view.spec.config, view.spec.classifier.spec)
    born = encoding.empty()
    place: dict[Identity, int] = {}
    for (generation, stream), group in groupby(family, key=lambda ancestor: ancestor.identity[:2]):
        if stopping is not None and stopping.is_set():
            raise Interrupted
        children = list(group)
        numbers = np.array([child.identity[2] for child in children], np.uint32)
        rows = None
        if children[0].parents:
            pairs = [(place[child.parents[0]], place[child.parents[-1]]) for child in children]
            rows = np.array(pairs, np.int64)
        made = vary(toolbox, born, Offspring(Keys(view.spec.config.seed, generation, numbers, stream), rows))
        start = len(place)
        place |= {child.identity: start + number for number, child in enumerate(children)}
        born = born.put(np.arange(start, len(place)), (made, range(len(made))))
    return born


def _check(view: Snapshot, elite: Ancestor, pixels: NDArray[np.uint8]) -> None:
    """The run kept the image of the elite: what was bred must be the same."""
    row = np.flatnonzero((view.archive.ids[: len(view.stored_pixels)] == elite.identity).all(axis=1))
    if not len(row) or not np.array_equal(view.stored_pixels[row[0]], pixels):
        raise InvalidError(
            f"{view.directory}: expected the replayed elite to be the one that was kept, found another image: the run "
            "was made by another version of fooling, or its files were altered"
        )
