"""`repetition`: what does an image lose with copies of its repeated element (Nguyen, Yosinski & Clune 2015, section
3.4, figure 10)?

The authors removed copies by hand from some images. Here copies are found by template matching
(`fooling.reproduce.copies`) and painted over with the image's median colour: each alone, and all but one. As a
control the same areas are painted, turned and shifted at random: what any loss of that size and shape costs.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.confidence import format_confidence, log_distance
from fooling.present.grid import image_grid, png_of
from fooling.present.plots import TEXT, confidence_axis, dots, panels_of, png
from fooling.reproduce.copies import CONTRAST, FEWEST, LIKE, PATCH, SIDE, find_copies
from fooling.reproduce.experiments.imagenet import evolved
from fooling.reproduce.permutation_tests import SignTest, sign_test
from fooling.reproduce.result import Claim, Figure, Result, Row
from fooling.reproduce.workspace import Workspace
from fooling.runs.evaluator import Evaluation, open_evaluator
from fooling.store.snapshot import Snapshot
from fooling.studies.intervals import wilson
from fooling.studies.rank_tests import RankTest, in_words, wilcoxon

Pixels = NDArray[np.uint8]
CONTROLS = 8  # random places for each copy, and for all but one
BELIEVED = 0.5  # confidence, at least: there is nothing to lose where the image is not believed
LITTLE = 0.5  # of its confidence: an image that keeps so much has lost "a little"
ALPHA = 0.05
NEAR_ONE = 0.99  # from here up confidences are drawn by nines
EXAMPLES = 6


@dataclass(frozen=True)
class Loss:
    """What one image lost.

    Attributes:
        number: its class.
        seed: of its run.
        copies: that were found.
        area: the mean share of the image that a copy covers.
        whole: its confidence.
        without: without each of the copies alone.
        elsewhere: without as much at random places, mean.
        with_one: with one copy left.
        elsewhere_most: without as much as that at random places, mean.
    """

    number: int
    seed: int
    copies: int
    area: float
    whole: float
    without: list[float]
    elsewhere: float
    with_one: float
    elsewhere_most: float

    @property
    def without_one(self) -> float:
        """The confidence without one copy, the mean over the copies."""
        return float(np.mean(self.without))


def perform(workspace: Workspace) -> Result:
    """Remove copies from images of digits, and of ImageNet's classes where there is a classifier."""
    views = {"digits": workspace.digits("cppn", seeds=range(workspace.scale.pick(50, 20)))}
    if workspace.model is not None:
        views["ImageNet"] = evolved(workspace, "cppn")[:1]
    found = {name: _measured(workspace, runs) for name, runs in views.items()}
    rows = [row for name, losses in found.items() for row in _rows(name, losses, _believed(views[name]))]
    tests = [test for name, losses in found.items() for test in _tests(name, losses)]
    best = "ImageNet" if found.get("ImageNet") else "digits"
    figures: list[Figure] = []
    for name, losses in found.items():
        figures += [_examples(name, views[name], losses), _dots(name, losses)] if losses else []
    return Result(
        claims(found[best], best), tuple(rows), tuple(tests), tuple(figures),
        _METHOD if workspace.model else f"{_METHOD}\n\n{_DIGITS_ALONE}",
        {name: [asdict(loss) for loss in losses] for name, losses in found.items()},
    )  # fmt: skip


_METHOD = (
    f"How copies are found: images are searched at {SIDE} pixels a side at most; an element is a patch of "
    f"{PATCH} x {PATCH} of them with a standard deviation of at least {CONTRAST:g} (white is 1), its copies are the "
    f"separate places where the correlation reaches {LIKE:g}, and {FEWEST} are asked for. An image is tried where its "
    f"confidence is {BELIEVED:.0%} or more; what keeps {LITTLE:.0%} of it has lost a little. Images of one "
    "run are relatives, which tests of images ignore."
)
_DIGITS_ALONE = "The paper's images are ImageNet's; those are added when a classifier is given (--model)."


def loss_of(
    image: Pixels,
    number: int,
    seed: int,
    evaluate: Callable[[Pixels], Evaluation],
    generator: np.random.Generator,
) -> Loss | None:
    """What an image loses; None where nothing in it repeats.

    Args:
        image: (H, W, C) uint8.
        number: the class that is asked about.
        evaluate: (n, H, W, C) uint8 to an evaluation with confidences (n, K).
    """
    found = find_copies(image)
    if found is None:
        return None
    rest = found.but_one
    one = [painted(image, mask) for mask in found.masks]
    there = [painted(image, moved(mask, generator)) for mask in found.masks for _ in range(CONTROLS)]
    most = [painted(image, moved(rest, generator)) for _ in range(CONTROLS)]
    said = (
        evaluate(np.array([image, painted(image, rest), *one, *there, *most]))
        .confidences[:, number]
        .astype(float)
    )
    parts = np.split(said, np.cumsum([1, 1, len(one), len(there)]))
    whole, with_one, _, elsewhere, elsewhere_most = (float(part.mean()) for part in parts)
    area = float(found.masks.mean(axis=(1, 2)).mean())
    return Loss(number, seed, len(one), area, whole, parts[2].tolist(), elsewhere, with_one, elsewhere_most)


def painted(image: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """The image with its median colour where the mask is; (H, W, C) uint8."""
    background = np.median(image, axis=(0, 1)).astype(np.uint8)
    return np.where(mask[..., None], background, image)


def moved(mask: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.bool_]:
    """A square mask turned by quarters, mirrored and shifted around the edges at random: of the same area."""
    turned = np.rot90(mask, int(generator.integers(4)))
    mirrored = turned[:, ::-1] if generator.integers(2) else turned
    return np.roll(mirrored, generator.integers(0, mask.shape[0], 2), axis=(0, 1))


def claims(losses: Sequence[Loss], name: str) -> tuple[Claim, ...]:
    """The paper's findings: the confidence drops, and usually a little."""
    lowers = "Removing a copy of a repeated element lowers the confidence"
    if not losses:
        return (Claim(lowers, False, f"In no image of {name} a repeated element was found."),)
    test = _drops(losses)
    lowered = test.p is not None and test.p < ALPHA and 2 * test.above > test.n
    kept = float(np.median([loss.without_one / loss.whole for loss in losses]))
    drops = f"Without one copy the confidence drops in {test.above} of {len(losses)} images of {name}."
    return (
        Claim(lowers, lowered, drops),
        Claim(
            "Usually it does so a little",
            lowered and kept >= LITTLE,
            f"The median image keeps {format_confidence(kept)} of it: {'a little' if kept >= LITTLE else 'not a little'}. "
            f"All copies but one cost {_beside(_control(losses, 'with_one', 'elsewhere_most'))} at random places.",
        ),
    )


def _control(losses: Sequence[Loss], copies: str, elsewhere: str) -> RankTest:
    """The test of images without copies beside the same images without as much elsewhere."""
    ours, theirs = (log_distance([getattr(loss, key) for loss in losses]) for key in (copies, elsewhere))
    return wilcoxon(ours, theirs)


def _beside(test: RankTest) -> str:
    words = {
        1: "less than as much",
        -1: "more than as much",
        0: "no more and no less, beyond chance, than as much",
    }
    return words[test.direction(ALPHA)]


def _measured(workspace: Workspace, runs: Sequence[Snapshot]) -> list[Loss]:
    """What the believed elites of runs lose, measured once."""
    name = f"repetition-{len(runs)}-{runs[0].directory.name}"
    made = workspace.once(name, lambda: [asdict(loss) for loss in _losses(workspace, runs)])
    return [Loss(**one) for one in made]


def _losses(workspace: Workspace, runs: Sequence[Snapshot]) -> list[Loss]:
    config = runs[0].spec.config
    size, views = config.encoding.size, config.classifier.views
    found = []
    with open_evaluator(config.model, size=size, views=views, run=config.run, trust=workspace.trust) as asked:
        for view in runs:
            seed = view.spec.config.seed
            for number in np.flatnonzero(view.confidence >= np.float32(BELIEVED)).tolist():
                generator = np.random.Generator(np.random.Philox(key=[seed, number]))
                image = view.stored_pixels[view.stored_rows[number]]
                found.append(loss_of(image, number, seed, asked.evaluate, generator))
    return [loss for loss in found if loss is not None]


def _believed(runs: Sequence[Snapshot]) -> int:
    return sum(int((view.confidence >= np.float32(BELIEVED)).sum()) for view in runs)


def _drops(losses: Sequence[Loss]) -> SignTest:
    return sign_test(np.array([loss.whole - loss.without_one for loss in losses]))


def _rows(name: str, losses: Sequence[Loss], tried: int) -> list[Row]:
    found = f"{len(losses)} of {tried}{_which(losses)}"
    rows = [Row(f"{name}: images in which an element repeats", "many", found)]
    if not losses:
        return rows
    drops, n = sum(loss.without_one < loss.whole for loss in losses), len(losses)
    low, high = wilson(drops, n) or (0.0, 1.0)
    falls = [100 * (loss.whole - loss.without_one) for loss in losses]
    return [
        *rows,
        Row(f"{name}: of these, images whose confidence drops without one copy", "usually",
            f"{drops / n:.0%} (95 % interval {low:.0%} to {high:.0%}, n = {n})"),
        Row(f"{name}: drop without one copy, mean over images, in points", "a little",
            f"{np.mean(falls):.2g} (largest {np.max(falls):.2g}, n = {n})"),
        *(Row.over(f"{name}: confidence, {title}", [getattr(loss, key) for loss in losses])
          for key, title in _PARTS),
    ]  # fmt: skip


def _which(losses: Sequence[Loss]) -> str:
    """The classes, while they are few."""
    numbers = sorted(Counter(loss.number for loss in losses).items())
    few = 0 < len(numbers) <= 10
    return f" (class {', '.join(f'{number}: {count}' for number, count in numbers)})" if few else ""


# What is drawn and told, in order; "elsewhere" are the controls.
_PARTS = (
    ("whole", "whole"),
    ("without_one", "without one copy"),
    ("elsewhere", "as much elsewhere"),
    ("with_one", "with one copy left"),
    ("elsewhere_most", "as much as that elsewhere"),
)


def _tests(name: str, losses: Sequence[Loss]) -> list[str]:
    if not losses:
        return []
    tests = [f"{name}: the confidence is lower without one copy in {_drops(losses).in_words()}."]
    for copies, control, words in (
        ("without_one", "elsewhere", "without one copy beside without as much elsewhere"),
        ("with_one", "elsewhere_most", "with one copy left beside without as much elsewhere"),
    ):
        tests.append(f"{name}: {words}, images as pairs: {in_words(_control(losses, copies, control))}.")
    return tests


def _examples(name: str, runs: Sequence[Snapshot], losses: Sequence[Loss]) -> Figure:
    """A row of images, each of another class while there are classes: whole, without one copy, with one left."""
    first = {loss.number: loss for loss in reversed(losses)}
    chosen = [*first.values(), *(loss for loss in losses if loss is not first[loss.number])][:EXAMPLES]
    by_seed = {view.spec.config.seed: view for view in runs}
    images: list[Pixels] = []
    captions: list[str] = []
    for loss in chosen:
        view = by_seed[loss.seed]
        image = view.stored_pixels[view.stored_rows[loss.number]]
        found = find_copies(image)
        assert found is not None
        images += [image, painted(image, found.masks[1]), painted(image, found.but_one)]
        label = f"{view.labels[loss.number].split(',')[0][:18]}, {loss.copies} copies\n"
        values = map(format_confidence, (loss.whole, loss.without[1], loss.with_one))
        captions += [first + value for first, value in zip((label, "", ""), values, strict=True)]
    page = image_grid(
        [image for row in range(3) for image in images[row::3]],
        [caption for row in range(3) for caption in captions[row::3]],
        columns=len(chosen),
        heads=("whole", "without one copy", "with one left"),
    )
    return Figure(
        f"examples-{name.lower()}",
        "Above: elites in which an element repeats. Beneath: without one of its copies, and with one left; removed is "
        "what has the colour of the image's median.",
        png_of(page),
    )


def _dots(name: str, losses: Sequence[Loss]) -> Figure:
    """The confidences that are left, image by image."""
    figure, axes = panels_of(1, 1, 7.5, 3.8)
    near_one = np.median([loss.whole for loss in losses]) >= NEAR_ONE
    for place, (key, _) in enumerate(_PARTS):
        left = np.array([getattr(loss, key) for loss in losses])
        dots(
            axes,
            place,
            log_distance(left) if near_one else left,
            int(key.startswith("elsewhere")),
            width=0.65,
        )
    titles = [textwrap.fill(title, 14) for _, title in _PARTS]
    axes.set_xticks(range(len(_PARTS)), titles, fontsize=TEXT)
    if near_one:
        confidence_axis(axes, "confidence")
    else:
        axes.set_ylim(0, 1.02)
        axes.set_ylabel("confidence", fontsize=TEXT)
    axes.grid(axis="x", visible=False)
    return Figure(
        f"losses-{name.lower()}",
        "Confidence that is left, a dot for each image in which an element repeats, bars at the medians; orange: "
        "the same areas painted at random places.",
        png(figure),
    )
