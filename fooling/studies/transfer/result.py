"""A transfer as data: what is asked, and what `fooling transfer --json` prints and `transfer.json` holds.

Numbers are not rounded. docs/transfer.md describes the keys.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot, distinct_names
from fooling.studies import protocol
from fooling.studies.protocol import AnyPath, Interval
from fooling.validation import Data, Many

KIND: Final = "fooling transfer"

Share = Annotated[float, Field(ge=0, le=1)]


class Request(protocol.Request):
    """Show the elites of runs to other classifiers.

    Attributes:
        runs: the run directories.
        to: the model SPECs of the classifiers.
        min_confidence: only elites of at least this confidence at home.
        rerender: draw CPPNs anew at each target's own size, instead of resizing their pixels, which stretches them
            where the aspect ratio differs.
    """

    runs: Many[AnyPath]
    to: Many[str]
    min_confidence: Share = 0.0
    rerender: bool = False

    @field_validator("runs", "to")
    @classmethod
    def _each_once(cls, values: tuple[object, ...], field: ValidationInfo) -> tuple[object, ...]:
        if not values:
            raise ValueError(
                f"expected {'classifiers, like builtin:lenet' if field.field_name == 'to' else 'runs'}"
            )
        return tuple(dict.fromkeys(values))


class Cell(Data):
    """What a target says of a run's elites, counted over the images whose class the target has; null of none.

    Attributes:
        source: the run directory.
        source_model: the SPEC of the run's own classifier.
        target: a SPEC.
        images: how many are counted.
        without_class: how many are not: the target has no such class.
        same_top1, same_top5: the shares of images whose class is the target's first answer, or among its first five.
        mean_confidence, median_confidence: the target's confidence in the images' classes.
        at_least_99, at_least_9999: the shares of images with such a confidence.
        ..._ci95: 95 % intervals: Wilson's of shares, the bootstrap's of mean and median.
    """

    source: str
    source_model: str
    target: str
    images: int
    without_class: int
    same_top1: float | None
    same_top1_ci95: Interval | None
    same_top5: float | None
    same_top5_ci95: Interval | None
    mean_confidence: float | None
    mean_confidence_ci95: Interval | None
    median_confidence: float | None
    median_confidence_ci95: Interval | None
    at_least_99: float | None = Field(alias="at_least_0.99")
    at_least_99_ci95: Interval | None = Field(alias="at_least_0.99_ci95")
    at_least_9999: float | None = Field(alias="at_least_0.9999")
    at_least_9999_ci95: Interval | None = Field(alias="at_least_0.9999_ci95")

    @property
    def at_home(self) -> bool:
        """Whether the target is the classifier that the run was made with."""
        return self.source_model == self.target


class Answer(Data):
    """What a target says of an elite.

    Attributes:
        target: a SPEC.
        confidence: in the elite's class; None where the target has no such class.
        rank: how many classes are likelier than that; 0 is top-1. None likewise.
        top1: the label that the target answers first.
        top1_confidence: its confidence in that.
    """

    target: str
    confidence: float | None
    rank: int | None
    top1: str
    top1_confidence: float


class Elite(Data):
    """An elite, and what every target says of it.

    Attributes:
        source: the run directory.
        number: its class.
        label: the name of its class.
        confidence: at home.
        fools: the targets whose first answer is its class.
        targets: the answer of each target.
    """

    source: str
    number: int = Field(alias="class")
    label: str
    confidence: float
    fools: Many[str]
    targets: Many[Answer]


class Result(protocol.Result):
    """A matrix of runs and targets.

    Attributes:
        sources: the run directories.
        targets: the SPECs as given.
        min_confidence: the confidence that an elite must have at home.
        cells: one of each source and each target, source by source.
        images: the elites, source by source.
    """

    kind: Literal["fooling transfer"] = KIND
    format: Literal[1] = 1
    sources: Many[str]
    targets: Many[str]
    min_confidence: float
    cells: Many[Cell]
    images: Many[Elite]

    @cached_property
    def snapshots(self) -> dict[str, Snapshot]:
        """The runs, by directory."""
        return {source: open_run(source) for source in self.sources}

    @property
    def names(self) -> dict[str, str]:
        """What to call each source: the name of its directory, told apart from the others'."""
        return dict(zip(self.sources, distinct_names(list(map(Path, self.sources))), strict=True))

    @property
    def fooling_all(self) -> list[Elite]:
        """The elites that every target answers with their class first."""
        return [elite for elite in self.images if len(elite.fools) == len(self.targets)]
