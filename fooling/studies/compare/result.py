"""A comparison as data: what is asked, and what `fooling compare --json` prints and `comparison.json` holds.

Numbers are not rounded. docs/compare.md describes the keys.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from fooling.store.reading import open_run
from fooling.store.statistics import Statistics
from fooling.studies import protocol
from fooling.studies.compare.comparison import Comparison, compare
from fooling.studies.compare.images import read_training
from fooling.studies.protocol import AnyPath
from fooling.validation import Data, Many

KIND: Final = "fooling comparison"


def _is_none(value: Any) -> bool:
    return value is None


class Request(protocol.Request):
    """Compare runs on the same classes.

    Attributes:
        runs: two run directories or more.
        data: training images, in any form that `fooling train` takes: how far are the elites from the nearest?
    """

    runs: Many[AnyPath]
    data: AnyPath | None = None

    @field_validator("runs")
    @classmethod
    def _several(cls, runs: tuple[Path, ...]) -> tuple[Path, ...]:
        if len(runs) < 2:
            raise ValueError(f"expected two runs or more, found {len(runs)}")
        if len({path.resolve() for path in runs}) < len(runs):
            raise ValueError("expected each run once")
        return runs


class TrainingImages(Data):
    """The training set that the images were held against.

    Attributes:
        folder: where it was read.
        images: how many there are.
        usual_distance: the median distance of test images to the nearest of them.
        near_distance: the distance that 95 % of the test images are within; None where it was not measured.
    """

    folder: str
    images: int
    usual_distance: float
    near_distance: float | None


class ComparedGroup(Data):
    """Runs that differ in their seed only.

    Attributes:
        name: what tells it from the other groups.
        runs: the names of its runs.
        seeds: theirs.
        median_at_common_passes: the median over its runs of their medians over the classes.
    """

    name: str
    runs: Many[str]
    seeds: Many[int]
    median_at_common_passes: float


class ComparedElite(Data):
    """The elite of a class. The keys from `training_distance` on are there where there are training images.

    Attributes:
        number: the class.
        label: its name.
        confidence: of the elite.
        passes: the forward passes that the run had made when it was found.
        grey_distance, total_variation, png_bytes, training_distance: see `fooling.studies.compare.images`.
        nearest: the row of the nearest training image.
        nearest_label: the label of that image.
        near_training: whether it is as near as most test images are to theirs.
    """

    number: int = Field(alias="class")
    label: str
    confidence: float
    passes: float
    grey_distance: float
    total_variation: float
    png_bytes: float
    training_distance: float | None = Field(None, exclude_if=_is_none)
    nearest: int | None = Field(None, exclude_if=_is_none)
    nearest_label: int | None = Field(None, exclude_if=_is_none)
    near_training: bool | None = Field(None, exclude_if=_is_none)


class Curve(Data):
    """How the confidences of a run's classes rose, as columns.

    Attributes:
        passes, seconds: what the run had spent; one of the two.
        median, min, max: over the classes that the search is for.
    """

    passes: Many[float] | None = Field(None, exclude_if=_is_none)
    seconds: Many[float] | None = Field(None, exclude_if=_is_none)
    median: Many[float]
    min: Many[float]
    max: Many[float]


class ClassCurve(Data):
    """The confidence of a class as a step function, in columns.

    Attributes:
        number: the class.
        passes, seconds: what the run had spent at each rise.
        confidence: what it rose to.
    """

    number: int = Field(alias="class")
    passes: Many[float]
    seconds: Many[float]
    confidence: Many[float]


class ComparedRun(Data):
    """One run.

    Attributes:
        run: its directory.
        name: of its directory, told apart from the others'.
        group: the name of its group.
        seed, model, status, evaluations: as the run has them.
        passes, seconds: what it spent in all.
        confidence: of its elites, over the classes that the search is for.
        median_at_common_passes: over the classes, at the cost that all runs have reached.
        near_training: how many elites are as near to a training image as test images are; None without training images.
        images: the medians of what its images are like, by name.
        elites: class by class.
        curves: against passes, and against seconds.
        classes: the curve of each class; there while the classes are few.
    """

    run: str
    name: str
    group: str
    seed: int
    model: str
    status: str
    evaluations: int
    passes: float
    seconds: float
    confidence: Statistics
    median_at_common_passes: float
    near_training: int | None
    images: dict[str, float]
    elites: Many[ComparedElite]
    curves: Many[Curve]
    classes: Many[ClassCurve] | None = Field(None, exclude_if=_is_none)


class GroupTest(Data):
    """A rank test between two groups; see `fooling.studies.rank_tests`.

    Attributes:
        groups: their names.
        of: what was tested.
        test: "mann-whitney-u" or "wilcoxon".
        n: the numbers of values that it rests on.
        statistic, p: None where there is nothing to test.
        better: the share of pairs in which the first group is the higher one; ties count half.
    """

    groups: Many[str]
    of: str
    test: Literal["mann-whitney-u", "wilcoxon"]
    n: Many[int]
    statistic: float | None
    p: float | None
    better: float | None = Field(alias="first_is_higher")


class LeftOut(protocol.Failure):
    """A run that is not part of the comparison."""

    what: str = Field(alias="run")


class Result(protocol.Result):
    """Runs beside each other.

    Attributes:
        classes: names of the classes.
        passes: what a forward pass is, in words.
        common_passes: the forward passes that every run has made: the cost at which they are compared.
        training: what the images were held against, if anything.
        groups: in the order of their first run.
        runs: as asked.
        tests: between each two groups.
    """

    kind: Literal["fooling comparison"] = KIND
    format: Literal[1] = 1
    classes: Many[str]
    passes: str
    common_passes: float
    training: TrainingImages | None
    groups: Many[ComparedGroup]
    runs: Many[ComparedRun]
    tests: Many[GroupTest]
    failures: Many[LeftOut] = Field((), alias="left_out")

    @cached_property
    def comparison(self) -> Comparison:
        """The arrays behind the numbers."""
        runs = [open_run(run.run) for run in self.runs]
        shape = runs[0].stored_pixels.shape[1:]
        return compare(runs, read_training(Path(self.training.folder), shape) if self.training else None)
