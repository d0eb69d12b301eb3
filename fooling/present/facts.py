"""What is worth saying about a run in words, the same on the gallery, the contact sheet and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fooling.confidence import format_confidence
from fooling.sizes import sides, size_of, to_text

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot
    from fooling.store.spec import RunSpec

_ENCODINGS = {"cppn": "CPPN"}
_MEANINGS = {
    "logits": "softmax over {classes} classes",
    "sigmoid": "a sigmoid of each of {classes} classes by itself: no softmax, no sum of 1",
    "probabilities": "the classifier's own probabilities of {classes} classes",
    "scores": "a score of each of {classes} classes by itself: no softmax, no sum of 1",
}


def classifier_of(view: Snapshot) -> str:
    """What the classifier calls itself."""
    return view.spec.classifier.spec.name


def meaning_of(spec: RunSpec) -> str:
    """What a confidence of this run means: a share of a softmax, or a score of its own."""
    classifier = spec.classifier.spec
    return classifier.confidence or _MEANINGS[classifier.output].format(classes=f"{len(classifier.labels):,}")


def encoding_of(spec: RunSpec) -> str:
    """Like "CPPN, normalised, 28 x 28 grey": height x width."""
    encoding = spec.config.encoding
    colour = encoding.colour if encoding.colour == "grey" else encoding.colour.upper()
    size = to_text(size_of(sides(encoding.size)))
    return f"{encoding_name(encoding.name)}, {encoding.profile}, {size} {colour}"


def encoding_name(name: str) -> str:
    """An encoding's name as people write it."""
    return _ENCODINGS.get(name, name)


def length_of(view: Snapshot) -> str:
    """How long the run is so far: like "200 generations"; or "500 steps", of each climb of gradient ascent; or
    "13,400 steps", of which each is a generation of one class."""
    number, unit = view.spec.config.search.length(view.generation, view.evaluations)
    return f"{number:,} {unit}"


def _length_fact(view: Snapshot) -> tuple[str, str]:
    """The fact of how long the run is so far: a name and a text."""
    search = view.spec.config.search
    number, unit = search.length(view.generation, view.evaluations)
    return unit.capitalize(), f"{number:,}, {search.remark}" if search.remark else f"{number:,}"


def _chosen(spec: RunSpec) -> list[tuple[str, str]]:
    """The fact of which part of the classes the search is for, where it is a part."""
    every = len(spec.classifier.spec.labels)
    chosen = len(spec.config.search.target_classes(every))
    return [] if chosen == every else [("Classes", f"{chosen:,} of {every:,}")]


def facts_of(spec: RunSpec) -> list[tuple[str, str]]:
    """What the run is, as pairs of a name and a text."""
    return [
        ("Model", spec.model),
        ("Confidence", meaning_of(spec)),
        ("Encoding", encoding_of(spec)),
        ("Search", spec.config.search.name),
        ("Seed", str(spec.seed)),
        *_chosen(spec),
    ]


def facts(view: Snapshot) -> list[tuple[str, str]]:
    """What the run is and what it cost, as pairs of a name and a text."""
    return [
        *facts_of(view.spec),
        _length_fact(view),
        ("Evaluations", f"{view.evaluations:,}"),
        *([("NaN", nan_line(view))] if view.nan_images else []),
        ("Time", format_seconds(view.seconds)),
    ]


def nan_line(view: Snapshot) -> str:
    """How many images could not compete, and where one is to be seen."""
    count = view.nan_images
    images = "1 image, which lost" if count == 1 else f"{count:,} images, which lost; the first"
    return f"the classifier put out NaN or infinity for {images}: nan.png"


def summary_line(view: Snapshot) -> str:
    """One line: how many classes are fooled, and how surely."""
    found = view.statistics
    classes = "chosen classes" if found.classes < len(view.labels) else "classes"
    line = (
        f"Median {format_confidence(found.median)}; {found.at_least_99:,} of {found.classes:,} {classes}"
        f" reach 99 %, {found.at_least_9999:,} reach 99.99 %"
    )
    vacant = found.classes - found.occupied
    return line + (f"; {vacant:,} without an elite" if vacant else "")


def top1_line(view: Snapshot) -> str:
    """One line: how many elites fool the classifier, so that its first answer is their class."""
    count, elites = view.top1_count, int(view.occupied[view.target_classes].sum())
    if count is None:
        return "How many elites are top-1 is not known: the run is older than that count"
    return f"{count:,} of {elites:,} elites are top-1: the classifier's first answer is their class"


def first_answer(view: Snapshot, index: int) -> str:
    """What the classifier calls the elite of a class first: "top-1", "called LABEL", or "" where that is not known."""
    answer = int(view.top1[index])
    if answer < 0:
        return ""
    return "top-1" if answer == index else f"called {view.labels[answer]}"


def cost_line(view: Snapshot) -> str:
    """One line: what the run has done so far, and its status."""
    rate = f", {view.evaluations / view.seconds:,.0f}/s" if view.seconds > 0 else ""
    return (
        f"{view.status}: {length_of(view)}, {view.evaluations:,} evaluations"
        f" in {format_seconds(view.seconds)}{rate}"
    )


def format_seconds(seconds: float) -> str:
    """A duration with two units at most: "8.4 s", "3 min 20 s", "2 h 14 min"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min"
