"""`imagenet-direct` and `imagenet-cppn`: how sure does an ImageNet network get of images that were evolved for it (Nguyen,
Yosinski & Clune 2015, sections 3.3 and 3.4, figures 6 and 7)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.confidence import format_confidence
from fooling.present.grid import png_of
from fooling.present.plots import TEXT, colour, panels_of, png
from fooling.present.sheet import contact_sheet
from fooling.reproduce.result import Claim, Figure, Result, Row
from fooling.reproduce.workspace import Workspace
from fooling.store.snapshot import Snapshot
from fooling.studies.compare.comparison import class_medians
from fooling.studies.rank_tests import RankTest, in_words, mann_whitney

# Generations of 400 (cppn) and 200 (direct) images: the paper's, and a quick look's.
GENERATIONS = {"cppn": (5000, 100), "direct": (20_000, 100)}
SEEDS = 3  # runs of each kind: they take hours
BEST = 40  # images on a sheet
ALPHA = 1e-4  # the paper's
# WordNet ids of ILSVRC's dogs and domestic cats, first and last (Russakovsky 2015), and where they stand among its
# 1,000 classes.
BAND_IDS = (("n02085620", "n02113978"), ("n02123045", "n02124075"))
BAND_PLACES = (range(151, 269), range(281, 286))


def evolved(workspace: Workspace, encoding: str) -> list[Snapshot]:
    """A run of each of the first three seeds against the ImageNet classifier.

    Raises:
        MissingInput: there is none.
    """
    full, quick = GENERATIONS[encoding]
    return workspace.runs(
        f"imagenet-{encoding}",
        workspace.seeds[:SEEDS],
        model=workspace.imagenet(),
        search__generations=workspace.scale.pick(full, quick),
    )


def direct(workspace: Workspace) -> Result:
    """Directly encoded images, as in figure 6."""
    runs = evolved(workspace, "direct")
    median, sure = float(np.median(_medians(runs))), [at_least(view, 0.99) for view in runs]
    return Result(
        (
            Claim("Most classes stay out of reach of directly encoded images", median < 0.5,
                  f"The median of the classes is {format_confidence(median)}."),
            Claim("A few classes reach 99 %", max(sure) > 0,
                  f"{np.median(sure):g} of {len(runs[0].labels):,} reach 99 %.{_short(workspace, 'direct')}"),
        ),
        _rows(runs, {"median": "21.59 % after 20,000", "0.99": "45 of 1,000", "0.9999": "–"}),
        figures=_figures(runs, "direct"),
        notes=_notes(workspace, runs),
        numbers=_numbers(runs),
    )  # fmt: skip


def cppn(workspace: Workspace) -> Result:
    """CPPN images, as in figure 7, beside directly encoded ones."""
    runs, others = evolved(workspace, "cppn"), evolved(workspace, "direct")
    ours, theirs, band = (
        by_class(runs),
        by_class(others),
        pets(runs[0].labels, runs[0].spec.classifier.spec.wordnet),
    )
    between = mann_whitney(ours, theirs)
    dogs = None if band is None else mann_whitney(ours[band], ours[~band])
    tests = [
        f"CPPN beside direct images, a value a class (the median over runs): {in_words(between)}.",
        f"The same by run, of their medians: {in_words(mann_whitney(_medians(runs), _medians(others)))}.",
    ]
    if dogs is not None:
        tests.append(f"Dogs and domestic cats beside the other classes, CPPN images: {in_words(dogs)}.")
    return Result(
        claims(between, dogs, _short(workspace, "cppn")),
        (
            *_rows(runs, {"median": "88.11 % after 5,000", "0.99": "–", "0.9999": "many"}),
            *_band_rows(ours, band),
            Row.over("direct images: median of the classes", _medians(others).tolist(), paper="21.59 %"),
        ),
        tuple(tests),
        _figures(runs, "cppn", band),
        _notes(workspace, runs),
        _numbers(runs),
    )


def claims(between: RankTest, dogs: RankTest | None, short: str) -> tuple[Claim, ...]:
    """The paper's findings, each where its test says so beyond chance.

    Args:
        between: CPPN beside direct images.
        dogs: dogs and cats beside the other classes; None where it is not known which classes they are.
        short: a sentence about how short the runs are.
    """
    higher, lower = between.direction(ALPHA) > 0, None if dogs is None else dogs.direction(ALPHA) < 0
    words = {True: "Dogs and cats are the low band.", False: "Dogs and cats are no low band.",
             None: "Which classes are dogs and cats the classifier does not say."}  # fmt: skip
    more = f"CPPN images are {'believed more' if higher else 'not believed more'} than direct ones."
    return (
        Claim("CPPN images are believed more than direct ones", higher, more),
        Claim("Dogs and cats are the low band", lower, f"{words[lower]}{short}"),
    )


def by_class(runs: Sequence[Snapshot]) -> NDArray[np.float64]:
    """(K,): each class's median over the runs."""
    return class_medians(np.array([view.confidence for view in runs], np.float64))


def pets(labels: Sequence[str], wordnet: Sequence[str] | None = None) -> NDArray[np.bool_] | None:
    """(K,): the dogs and domestic cats among a classifier's classes, by WordNet id, or by their places where the
    classes are ILSVRC's in its order; None where neither is known, or there are none."""
    band = np.zeros(len(labels), bool)
    if wordnet:
        band |= [any(first <= one <= last for first, last in BAND_IDS) for one in wordnet]
    elif len(labels) == 1000 and labels[0].lower().startswith("tench"):
        for places in BAND_PLACES:
            band[places] = True
    return band if band.any() and not band.all() else None


def _medians(runs: Sequence[Snapshot]) -> NDArray[np.float64]:
    return np.array([view.statistics.median for view in runs])


def at_least(view: Snapshot, level: float) -> int:
    """How many classes reach a confidence."""
    return int((view.confidence >= np.float32(level)).sum())


def _rows(runs: Sequence[Snapshot], paper: Mapping[str, str]) -> tuple[Row, ...]:
    title = f"median of the classes after {runs[0].generation:,} generations"
    rows = [Row.over(title, _medians(runs).tolist(), paper=paper["median"])]
    for level, words in ((0.99, "99 %"), (0.9999, "99.99 %")):
        counts = [at_least(view, level) for view in runs]
        rows.append(Row.over(f"classes that reach {words}", counts, "{:g}".format, paper[f"{level:g}"]))
    return tuple(rows)


def _band_rows(values: NDArray[np.float64], band: NDArray[np.bool_] | None) -> list[Row]:
    if band is None:
        return []
    dogs, others = (format_confidence(float(np.nanmedian(values[part]))) for part in (band, ~band))
    pair = f"{dogs} beside {others} (n = {band.sum()} and {(~band).sum()} classes)"
    return [Row("median of dogs and cats beside that of the others", "low band", pair)]


def _short(workspace: Workspace, encoding: str) -> str:
    full, quick = GENERATIONS[encoding]
    return f" After {quick} generations of the paper's {full:,}." if workspace.scale.quick else ""


def _notes(workspace: Workspace, runs: Sequence[Snapshot]) -> str:
    size = runs[0].stored_pixels.shape[1]
    return (
        f"Classifier: `{workspace.imagenet()}`, images of {size} x {size} pixels shown whole, not as the mean of ten "
        f"crops; {runs[0].evaluations:,} images a run, {len(runs)} runs. Tests of classes take them as independent, "
        "which relatives are not."
    )


def _numbers(runs: Sequence[Snapshot]) -> dict[str, Any]:
    return {
        "generations": runs[0].generation,
        "evaluations": [view.evaluations for view in runs],
        "median": _medians(runs).tolist(),
        "by_class": by_class(runs).tolist(),
    }


def _figures(
    runs: Sequence[Snapshot], encoding: str, band: NDArray[np.bool_] | None = None
) -> tuple[Figure, ...]:
    best = contact_sheet(runs[0], columns=10, limit=BEST, sort="confidence", zoom=zoom(runs[0]))
    marked = "; orange: dogs and domestic cats" if band is not None else ""
    return (
        Figure(
            "classes",
            f"Confidence of each class's elite, median and range over {len(runs)} runs, by class index"
            f"{marked}. On the right how many classes reach what.",
            _classes(runs, band),
        ),
        Figure("best", f"The {BEST} {_NAMES[encoding]} images of one run that are believed most.", png_of(best)),
    )  # fmt: skip


_NAMES = {"cppn": "CPPN", "direct": "directly encoded"}


def zoom(view: Snapshot) -> int:
    """How many pixels of a sheet are the side of a pixel of an image."""
    return max(1, round(112 / view.stored_pixels.shape[1]))


def _classes(runs: Sequence[Snapshot], band: NDArray[np.bool_] | None) -> bytes:
    """The confidences of the classes by index, and sorted, as in figures 6 and 7."""
    table = np.nan_to_num(np.array([view.confidence for view in runs], np.float64))
    middle, place = np.median(table, axis=0), np.arange(table.shape[1])
    figure, (left, right) = panels_of(1, 2, 12, 3.8, share=False)
    pet = np.zeros(len(middle), bool) if band is None else band
    for number, chosen in enumerate((~pet, pet)):
        shade = colour(number)
        left.vlines(
            place[chosen], table.min(0)[chosen], table.max(0)[chosen], color=shade, alpha=0.18, lw=0.8
        )
        left.plot(place[chosen], middle[chosen], ".", color=shade, ms=4, mew=0)
        if chosen.any():
            falling = np.sort(middle[chosen])[::-1]
            right.step(np.linspace(0, 1, len(falling)), falling, where="mid", color=shade, lw=1.8)
    left.set_xlabel("class", fontsize=TEXT)
    left.set_ylabel("confidence", fontsize=TEXT)
    right.set_xlabel("share of the classes that reach it", fontsize=TEXT)
    for axes in (left, right):
        axes.set_ylim(0, 1.02)
    return png(figure)
