"""A run in numbers: what `fooling run --json`, `resume --json` and `show --json` print. docs/run-directory.md describes
the keys."""

from __future__ import annotations

from pydantic import Field

from fooling.archive import lineage
from fooling.config import ResolvedSettings
from fooling.store.directory import RunDirectory
from fooling.store.elites import elite_name
from fooling.store.snapshot import Snapshot, Status
from fooling.store.statistics import Statistics
from fooling.validation import Data, Many


class FirstAnswer(Data):
    """What the classifier answers first to an image.

    Attributes:
        number: the class.
        label: its name.
        confidence: the classifier's in it.
    """

    number: int = Field(alias="class")
    label: str
    confidence: float


class EliteSummary(Data):
    """The elite of a class.

    Attributes:
        number: the class.
        label: its name.
        confidence: of the elite.
        generation: the one in which it was found.
        image: its PNG, relative to the run directory.
        top1: what the classifier answers first; None where that is not known.
    """

    number: int = Field(alias="class")
    label: str
    confidence: float
    generation: int
    image: str
    top1: FirstAnswer | None


class RunSummary(Data):
    """A run in numbers.

    Attributes:
        run: the run directory.
        status: how the run stands.
        reason: why it ended before it was done, where that was not the user's wish; else "".
        config: all settings, resolved.
        seed, model: as in `config`.
        generations: how many are completed after the first, random population.
        evaluations: images classified.
        seconds: time spent searching.
        evaluations_per_second: over that time.
        replacements: cells whose elite changed.
        goal_switches: of those, the ones whose new elite has a parent that was the elite of other classes only.
        nan_images: images that the classifier had no confidence for.
        archive_sha256, lineage_sha256: digests of the elites and of the lineage.
        confidence: of the elites, over the classes that the search is for.
        top1: how many of these elites the classifier answers with their class first; None where that is not known.
        elites: class by class.
    """

    run: str
    status: Status
    reason: str
    config: ResolvedSettings
    seed: int
    model: str
    generations: int
    evaluations: int
    seconds: float
    evaluations_per_second: float
    replacements: int
    goal_switches: int
    nan_images: int
    archive_sha256: str
    lineage_sha256: str
    confidence: Statistics
    top1: int | None
    elites: Many[EliteSummary]


def summary(run: Snapshot) -> RunSummary:
    """The run in numbers."""
    return RunSummary(
        run=str(run.directory),
        status=run.status,
        reason=run.reason,
        config=run.spec.config,
        seed=run.spec.seed,
        model=run.spec.model,
        generations=run.generation,
        evaluations=run.evaluations,
        seconds=run.seconds,
        evaluations_per_second=run.evaluations / run.seconds if run.seconds else 0.0,
        replacements=run.counters.replacements,
        goal_switches=run.counters.goal_switches,
        nan_images=run.nan_images,
        archive_sha256=run.archive.digest(),
        lineage_sha256=lineage.digest(RunDirectory(run.directory).lineage, run.counters.lineage_bytes),
        confidence=run.statistics,
        top1=run.top1_count,
        elites=_elites(run),
    )


def _elites(run: Snapshot) -> tuple[EliteSummary, ...]:
    first, sure = run.top1.tolist(), run.top1_confidence.tolist()
    return tuple(
        EliteSummary(
            number=number,
            label=run.labels[number],
            confidence=float(run.confidence[number]),
            generation=int(run.ids[number, 0]),
            image=f"elites/{elite_name(number)}",
            top1=None
            if first[number] < 0
            else FirstAnswer(number=first[number], label=run.labels[first[number]], confidence=sure[number]),
        )
        for number in run.occupied.nonzero()[0].tolist()
    )
