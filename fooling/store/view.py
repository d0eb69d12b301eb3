"""A run as readers see it: what `show`, `gallery` and `export` need, from the directory alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fooling import encodings
from fooling import search as searches
from fooling.archive import Archive, lineage
from fooling.archive.invariants import check_archive
from fooling.config import Settings, validate
from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.sizes import Size
from fooling.store import checkpoint, events
from fooling.store.directory import RunDirectory, is_locked, open_directory
from fooling.store.memory import expect_room_for_elites
from fooling.store.statistics import describe

if TYPE_CHECKING:
    from PIL import Image

# The last event of a run that is over, and the status that it means.
ENDINGS = {"completed": "completed", "interrupted": "interrupted", "failed": "failed"}


@dataclass(frozen=True, repr=False)
class RunView:
    """A run at some generation.

    Attributes:
        directory: the run directory.
        status: completed, interrupted, failed or running.
        manifest: what the run is.
        settings: the manifest's resolved config.
        labels: (K,) names of the classes.
        groups: group name -> class indices; may be empty.
        archive: the elites.
        curve: one dict per generation.
        state: the counters: generation (-1 before the first), evaluations, seconds, lineage_bytes, ...
        reason: why it ended before it was done, where that was not the user's wish; else "".
        problems: what is wrong with checkpoints newer than the one that this is.
    """

    directory: Path
    status: str
    manifest: dict[str, Any]
    settings: Settings
    labels: tuple[str, ...]
    groups: dict[str, list[int]]
    archive: Archive
    curve: list[dict[str, Any]]
    state: dict[str, Any]
    reason: str = ""
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: the arrays of a thousand classes would fill a notebook."""
        return (
            f"<run {str(self.directory)!r}: {self.status}, generation {self.generation}, "
            f"{int(self.occupied.sum())} of {len(self.labels)} classes>"
        )

    @property
    def generation(self) -> int:
        """Generations completed after the first, random population."""
        return max(0, int(self.state["generation"]))

    @property
    def evaluations(self) -> int:
        """Images classified."""
        return int(self.state["evaluations"])

    @property
    def nan_images(self) -> int:
        """Of those, the ones that the classifier had no confidence for; the run directory has the first (nan.png)."""
        return int(self.state.get("nan_images", 0))

    @property
    def seconds(self) -> float:
        """Time spent searching, all parts of an interrupted run together."""
        return float(self.state["seconds"])

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """(K,) float32, NaN where a class has no elite."""
        return np.where(self.archive.cell >= 0, self.archive.confidence, np.float32(np.nan))

    @property
    def aims(self) -> NDArray[np.int64]:
        """The classes that the search makes images for, ascending: all, unless its settings choose some."""
        return np.sort(np.array(self.settings.search.aims(len(self.labels)), np.int64))

    @cached_property
    def ids(self) -> NDArray[np.int32]:
        """(K, 3) int32: generation, stream and child of each elite; -1 where none."""
        return self.archive.elite_ids

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """(K,) bool: whether a class has an elite."""
        return self.archive.cell >= 0

    @property
    def images(self) -> NDArray[np.uint8]:
        """(K, H, W, C) uint8, in a new array: the pixels of each class's elite as they were classified, in the order of
        `labels` and `confidence`; zeros where a class has none (`occupied` tells)."""
        found = np.zeros((len(self.labels), *self.archive.pixels.shape[1:]), np.uint8)
        found[self.occupied] = self.archive.pixels[self.archive.cell[self.occupied]]
        return found

    def image(self, number: int) -> Image.Image:
        """The elite of a class as a picture of Pillow, of mode L where the classifier sees grey, else RGB.

        Raises:
            NotFoundError: there is no such class, or it has no elite.
        """
        from PIL import Image

        if not 0 <= number < len(self.labels):
            raise NotFoundError(f"no class {number}: expected 0 to {len(self.labels) - 1}")
        if self.archive.cell[number] < 0:
            raise NotFoundError(f"class {number}, {self.labels[number]}, has no elite")
        pixels = self.archive.pixels[self.archive.cell[number]]
        return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)

    @property
    def stored_rows(self) -> NDArray[np.int32]:
        """(K,) int32: the row of `stored_pixels` of each class's elite; -1 where none."""
        return self.archive.cell

    @property
    def stored_pixels(self) -> NDArray[np.uint8]:
        """(S, H, W, C) uint8: the distinct images, each once though it be the elite of several classes. They are in no
        order of classes: `images` is."""
        return self.archive.pixels[: int(self.archive.cell.max(initial=-1)) + 1]

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
        top1 = self.top1[self.aims]
        return None if (self.occupied[self.aims] & (top1 < 0)).any() else int((top1 == self.aims).sum())


def open_run(path: str | Path) -> RunView:
    """Read a run from its directory, whatever its status, without writing anything.

    Raises:
        NotFoundError, InvalidError: see `fooling.store.directory.open_directory`.
        FoolingError: no checkpoint can be read.
    """
    directory, manifest = open_directory(Path(path))
    settings = validate(manifest["config"], str(directory.manifest))
    archive, encoding = empty_archive(settings, manifest["classifier"]["spec"])
    state = new_state()
    log = events.read(directory.events)
    newest, problems = newest_checkpoint(directory, log)
    if newest is not None:
        state = newest.state
        restore(settings, archive, encoding, newest)
    found = view(directory, status_of(directory, log), manifest, settings, archive, log, state)
    return found if found.status == "running" else replace(found, problems=tuple(problems))


def view(
    directory: RunDirectory,
    status: str,
    manifest: dict[str, Any],
    settings: Settings,
    archive: Archive,
    log: list[dict[str, Any]],
    state: dict[str, Any],
) -> RunView:
    """A view of these parts."""
    spec = manifest["classifier"]["spec"]
    told = events.generations(log, len(spec["labels"]), directory.events)
    curve = [event for event in told if event["generation"] <= state["generation"]]
    return RunView(
        directory.path,
        status,
        manifest,
        settings,
        tuple(spec["labels"]),
        spec.get("groups") or {},
        archive,
        curve,
        state,
        log[-1].get("reason", "") if log and log[-1]["event"] in ENDINGS else "",
    )


def new_state() -> dict[str, Any]:
    """The counters of a run that has not begun."""
    return checkpoint.State().counters()


def empty_archive(settings: Settings, spec: dict[str, Any]) -> tuple[Archive, Any]:
    """An archive without elites, and the encoding, for a classifier spec as the manifest holds it.

    Raises:
        InvalidError: it can't fit this machine.
    """
    encoding = encodings.create(settings.encoding, spec["size"], spec["colour"])
    classes = len(spec["labels"])
    expect_room_for_elites(encoding, len(settings.search.aims(classes)))
    return Archive(classes, encoding.image_shape, encoding.empty(classes)), encoding


def restore(
    settings: Settings, archive: Archive, encoding: Any, saved: checkpoint.Checkpoint, goes_on: bool = False
) -> None:
    """Fill an empty archive from a checkpoint, which may come from a stranger: every reader goes through here, and
    whoever `goes_on` from it.

    Raises:
        InvalidError: naming the checkpoint and what is wrong with it.
    """
    generation = saved.state["generation"]
    try:
        genotypes = encoding.from_arrays(saved.part("genotypes"))
        check_archive(archive, saved.arrays, genotypes, generation)
        archive.restore(saved.arrays, genotypes)
        searches.check(settings.search, archive, generation, saved.part("search"), goes_on)
    except InvalidError as error:
        raise InvalidError(f"{checkpoint.path_of(Path(), generation).name}: {error}") from None


def lineage_of(run: RunView) -> NDArray[np.int32]:
    """The run's lineage up to its checkpoint, (N, 11), checked: see `fooling.archive.lineage`.

    Raises:
        InvalidError: it is missing, was cut or altered.
    """
    path = RunDirectory(run.directory).lineage
    return read_lineage(path, run.state, len(run.labels), run.settings)


def read_lineage(path: Path, state: dict[str, Any], classes: int, settings: Settings) -> NDArray[np.int32]:
    """The records of a lineage up to a checkpoint with this state; see `lineage_of`."""
    records = lineage.read(path, state["lineage_bytes"])
    lineage.check(records, path, state["generation"], classes, settings.search.name == "map-elites")
    return records


def renderer(run: RunView) -> Callable[[Size], NDArray[np.uint8]] | None:
    """Renders a run's individuals, the rows of `stored_pixels`, at any size; None where a genotype has no meaning
    at another size (direct images, and CPPNs that read raw pixel indices)."""
    settings = run.settings.encoding
    if settings.name != "cppn" or settings.coordinates == "raw":
        return None
    _, encoding = empty_archive(run.settings, run.manifest["classifier"]["spec"])
    genotypes = run.archive.genotypes.take(np.arange(len(run.stored_pixels)))
    return lambda size: encoding.render(genotypes, size)


def newest_checkpoint(
    directory: RunDirectory, log: list[dict[str, Any]]
) -> tuple[checkpoint.Checkpoint | None, list[str]]:
    """The newest checkpoint that is whole (None where none was ever written), and what is wrong with the
    newer ones, one line each.

    Raises:
        FoolingError: there were checkpoints, and none is whole.
        InvalidError: the newest that is whole is no checkpoint.
    """
    begun = [e.get("generation", -1) for e in log if e["event"] == "checkpointing"]
    written = [e.get("generation", -1) for e in log if e["event"] == "checkpoint"]
    problems: list[str] = []
    for path in checkpoint.saved(directory.checkpoints):
        try:
            found = checkpoint.load(path)
        except checkpoint.DamagedError as error:
            problems.append(str(error))
        except FileNotFoundError:  # a running writer has replaced it by a newer one meanwhile
            return newest_checkpoint(directory, events.read(directory.events))
        except OSError as error:
            problems.append(f"{path.name} can't be read: {error.strerror or error}")
        else:
            if not problems and max(begun, default=-1) > found.state["generation"]:
                end = "is missing" if max(begun) in written else "is missing, or was never finished"
                problems.append(f"{checkpoint.path_of(Path(), max(begun)).name} {end}")
            return found, problems
    if written and not problems:
        problems.append(f"{checkpoint.path_of(Path(), max(written)).name} is missing")
    if problems:
        raise FoolingError(
            f"{directory.path}: no checkpoint is whole ({'; '.join(problems)}); nothing was changed"
        )
    return None, []


def status_of(directory: RunDirectory, log: list[dict[str, Any]]) -> str:
    """completed, interrupted, failed or running."""
    if is_locked(directory):
        return "running"
    return ENDINGS.get(log[-1]["event"], "interrupted") if log else "interrupted"


def summary(run: RunView) -> dict[str, Any]:
    """What `fooling run --json`, `resume --json` and `show --json` print."""
    statistics = describe(run.confidence[run.aims])
    seconds = run.seconds
    return {
        "run": str(run.directory),
        "status": run.status,
        "reason": run.reason,
        "config": run.manifest["config"],
        "seed": run.manifest["seed"],
        "model": run.manifest["model"],
        "generations": run.generation,
        "evaluations": run.evaluations,
        "seconds": seconds,
        "evaluations_per_second": run.evaluations / seconds if seconds else 0.0,
        "replacements": int(run.state["replacements"]),
        "goal_switches": int(run.state["goal_switches"]),
        "nan_images": run.nan_images,
        "archive_sha256": run.archive.digest(),
        "lineage_sha256": lineage.digest(RunDirectory(run.directory).lineage, run.state["lineage_bytes"]),
        "confidence": {**statistics, "classes": len(run.aims)},
        "top1": run.top1_count,
        "elites": [
            {
                "class": int(number),
                "label": run.labels[number],
                "confidence": float(run.confidence[number]),
                "generation": int(run.ids[number, 0]),
                "image": f"elites/{number:04d}.png",
                "top1": answer,
            }
            for number, answer in zip(run.archive.occupied, _answers(run), strict=True)
        ],
    }


def _answers(run: RunView) -> list[dict[str, Any] | None]:
    """What the classifier answers first to each elite, by class; None where that is not known."""
    top1, confidence = run.archive.elite_top1()
    return [
        {"class": answer, "label": run.labels[answer], "confidence": sure} if answer >= 0 else None
        for answer, sure in zip(top1[run.occupied].tolist(), confidence[run.occupied].tolist(), strict=True)
    ]


def name_of(view: RunView) -> str:
    """A run's name: that of its directory."""
    return view.directory.name or view.directory.resolve().name


def distinct_names(views: Sequence[RunView]) -> list[str]:
    """The runs' names; where two are the same, with a number."""
    names = [name_of(view) for view in views]
    shared, seen = Counter(names), Counter[str]()
    for position, name in enumerate(names):
        seen[name] += 1
        if shared[name] > 1:
            names[position] = f"{name} ({seen[name]})"
    return names
