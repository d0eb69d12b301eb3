"""A snapshot: what a run has at some moment, as callbacks, pages, studies and notebooks get it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from fooling import encodings
from fooling.archive import Archive, Cells
from fooling.classifiers.spec import Spec
from fooling.config import ResolvedSettings
from fooling.drawn import Drawn
from fooling.encodings.protocol import Encoding
from fooling.errors import NotFoundError, did_you_mean
from fooling.sizes import Size
from fooling.store.checkpoint import Counters
from fooling.store.memory import expect_room_for_elites
from fooling.store.spec import RunSpec
from fooling.store.statistics import Statistics

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T")


class Prefix(Sequence[T]):
    """The first items of a list to which others are only added: it never changes, and costs nothing."""

    def __init__(self, items: list[T], length: int) -> None:
        self._items, self._length = items, length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        wanted = range(self._length)[index]
        return self._items[wanted] if isinstance(wanted, int) else [self._items[row] for row in wanted]


Status = Literal["completed", "interrupted", "failed", "running"]


@dataclass(frozen=True, repr=False, eq=False)
class Elite(Drawn):
    """The elite of a class. A notebook shows it, enlarged.

    Attributes:
        number, label: the class.
        confidence: the classifier's in that class.
        generation: the one in which it was found.
        pixels: (H, W, C) uint8, read-only: what was classified.
        top1: the class that the classifier answers first; -1 where that is not known.
        top1_label, top1_confidence: of that class; None and NaN where it is not known.
    """

    number: int
    label: str
    confidence: float
    generation: int
    pixels: NDArray[np.uint8]
    top1: int
    top1_label: str | None
    top1_confidence: float

    def __repr__(self) -> str:
        return f"<elite of class {self.number}, {self.label}: confidence {self.confidence:.6g}>"

    @property
    def image(self) -> Image.Image:
        """The pixels as a picture of Pillow, of mode L where the classifier sees grey, else RGB."""
        from PIL import Image

        return Image.fromarray(self.pixels[:, :, 0] if self.pixels.shape[2] == 1 else self.pixels)

    def _repr_png_(self) -> bytes | None:
        return self.image._repr_png_()


@dataclass(frozen=True, repr=False)
class Snapshot(Drawn):
    """What a run has at some moment; it never changes.

    Attributes:
        directory: the run directory.
        status: completed, interrupted, failed or running.
        spec: what the run is.
        archive: the elites, read-only.
        counters: how far the run is: generation (-1 before the first), evaluations, seconds, lineage_bytes, ...
        curve: the log's record of each generation.
        reason: why it ended before it was done, where that was not the user's wish; else "".
        problems: what is wrong with checkpoints newer than the one that this is.
    """

    directory: Path
    status: Status
    spec: RunSpec
    archive: Archive
    counters: Counters
    curve: Sequence[dict[str, Any]]
    reason: str = ""
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: the arrays of a thousand classes would fill a notebook."""
        return (
            f"<run {str(self.directory)!r}: {self.status}, generation {self.generation}, "
            f"{int(self.occupied.sum())} of {len(self.labels)} classes>"
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """(K,) the names of the classes."""
        return self.spec.classifier.spec.labels

    @property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """The classes of each group, by its name; may be empty."""
        return self.spec.classifier.spec.groups

    @property
    def generation(self) -> int:
        """Generations completed after the first, random population."""
        return max(0, self.counters.generation)

    @property
    def evaluations(self) -> int:
        """Images classified."""
        return self.counters.evaluations

    @property
    def nan_images(self) -> int:
        """Of those, the ones that the classifier had no confidence for; the run directory has the first (nan.png)."""
        return self.counters.nan_images

    @property
    def seconds(self) -> float:
        """Time spent searching, all parts of an interrupted run together."""
        return self.counters.seconds

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """(K,) float32, NaN where a class has no elite."""
        return _sealed(self.archive.confidence)

    @property
    def target_classes(self) -> NDArray[np.int64]:
        """The classes that the search makes images for, ascending: all, unless its settings choose some."""
        return np.sort(np.array(self.spec.config.search.target_classes(len(self.labels)), np.int64))

    @cached_property
    def statistics(self) -> Statistics:
        """How sure the classifier is of the elites of the classes in `aims`."""
        return Statistics.of(self.confidence[self.target_classes])

    @cached_property
    def ids(self) -> NDArray[np.int32]:
        """(K, 3) int32: generation, stream and child of each elite; -1 where none."""
        return _sealed(self.archive.elite_ids)

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """(K,) bool: whether a class has an elite."""
        return self.archive.rows >= 0

    @property
    def images(self) -> NDArray[np.uint8]:
        """(K, H, W, C) uint8, in a new array: the pixels of each class's elite as they were classified, in the order of
        `labels` and `confidence`; zeros where a class has none (`occupied` tells)."""
        found = np.zeros((len(self.labels), *self.archive.pixels.shape[1:]), np.uint8)
        found[self.occupied] = self.archive.pixels[self.archive.rows[self.occupied]]
        return found

    def elite(self, wanted: int | str) -> Elite:
        """The elite of a class, which is named by its number or its label.

        Raises:
            NotFoundError: there is no such class, or it has no elite.
        """
        number = class_of(wanted, self.labels)
        row, top1 = int(self.archive.rows[number]), int(self.top1[number])
        if row < 0:
            raise NotFoundError(f"class {number}, {self.labels[number]}, has no elite")
        return Elite(
            number=number,
            label=self.labels[number],
            confidence=float(self.confidence[number]),
            generation=int(self.ids[number, 0]),
            pixels=_sealed(self.archive.pixels[row]),
            top1=top1,
            top1_label=self.labels[top1] if top1 >= 0 else None,
            top1_confidence=float(self.top1_confidence[number]),
        )

    def image(self, wanted: int | str) -> Image.Image:
        """The elite of a class, as a picture of Pillow; see `elite`."""
        return self.elite(wanted).image

    @property
    def stored_rows(self) -> NDArray[np.int32]:
        """(K,) int32: the row of `stored_pixels` of each class's elite; -1 where none."""
        return self.archive.rows

    @property
    def stored_pixels(self) -> NDArray[np.uint8]:
        """(S, H, W, C) uint8: the distinct images, each once though it be the elite of several classes. They are in no
        order of classes: `images` is."""
        return self.archive.pixels[: int(self.archive.rows.max(initial=-1)) + 1]

    @property
    def top1(self) -> NDArray[np.int32]:
        """(K,) int32: the class that the classifier answers first to each class's elite; the class itself where the
        elite fools it; -1 where there is no elite, or its checkpoint is older than these answers."""
        return self.archive.elite_top1()[0]

    @property
    def top1_confidence(self) -> NDArray[np.float32]:
        """(K,) float32: the confidence of that class; NaN where there is none."""
        return self.archive.elite_top1()[1]

    @property
    def top1_count(self) -> int | None:
        """Of the classes that the search is for, those whose elite the classifier answers with them first; None where
        that is not known of every elite."""
        top1 = self.top1[self.target_classes]
        return (
            None
            if (self.occupied[self.target_classes] & (top1 < 0)).any()
            else int((top1 == self.target_classes).sum())
        )


def _sealed(array: NDArray[Any]) -> NDArray[Any]:
    """The array, not to be written any more."""
    array.flags.writeable = False
    return array


def class_of(wanted: int | str, labels: Sequence[str]) -> int:
    """The class of a number or a label, which may be any one of several synonyms.

    Raises:
        NotFoundError: there is none, or more than one.
    """
    if isinstance(wanted, int) or wanted.isdecimal():
        if 0 <= int(wanted) < len(labels):
            return int(wanted)
        raise NotFoundError(f"no class {wanted}: expected 0 to {len(labels) - 1}, or a label")
    found = [index for index, label in enumerate(labels) if wanted in (label, *label.split(", "))]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(
            f"several classes are labelled {wanted}: give a number, {', '.join(map(str, found))}"
        )
    hint = did_you_mean(wanted, labels) or f"; expected 0 to {len(labels) - 1}, or a label"
    raise NotFoundError(f"no class is labelled {wanted}{hint}")


def empty_archive(settings: ResolvedSettings, spec: Spec) -> tuple[Archive, Encoding[Any]]:
    """An archive without elites, and the encoding, for a run's settings and its classifier's spec.

    Raises:
        InvalidError: it can't fit this machine.
    """
    encoding = encodings.create(settings.encoding, spec.size, spec.colour)
    classes = len(spec.labels)
    expect_room_for_elites(encoding, len(settings.search.target_classes(classes)))
    return Archive(Cells(classes), encoding.image_shape, encoding.empty(classes)), encoding


def renderer(run: Snapshot) -> Callable[[Size], NDArray[np.uint8]] | None:
    """Renders a run's individuals, the rows of `stored_pixels`, at any size; None where a genotype has no meaning
    at another size (direct images, and CPPNs that read raw pixel indices)."""
    if not run.spec.config.encoding.has_any_size:
        return None
    _, encoding = empty_archive(run.spec.config, run.spec.classifier.spec)
    genotypes = run.archive.genotypes.take(np.arange(len(run.stored_pixels)))
    return lambda size: encoding.render(genotypes, size)


def name_of(directory: Path) -> str:
    """The name of a run: that of its directory."""
    return directory.name or directory.resolve().name


def distinct_names(directories: Sequence[Path]) -> list[str]:
    """The names of runs; where two are the same, with a number."""
    names = list(map(name_of, directories))
    shared, seen = Counter(names), Counter[str]()
    for position, name in enumerate(names):
        seen[name] += 1
        if shared[name] > 1:
            names[position] = f"{name} ({seen[name]})"
    return names
