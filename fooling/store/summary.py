"""A run in numbers: what `fooling run --json`, `resume --json` and `show --json` print."""

from __future__ import annotations

from typing import Any

from fooling.archive import lineage
from fooling.store.directory import RunDirectory
from fooling.store.elites import elite_name
from fooling.store.snapshot import Snapshot
from fooling.store.statistics import describe


def summary(run: Snapshot) -> dict[str, Any]:
    """What `fooling run --json`, `resume --json` and `show --json` print."""
    statistics = describe(run.confidence[run.aims])
    seconds = run.seconds
    return {
        "run": str(run.directory),
        "status": run.status,
        "reason": run.reason,
        "config": run.spec.config.model_dump(mode="json"),
        "seed": run.spec.seed,
        "model": run.spec.model,
        "generations": run.generation,
        "evaluations": run.evaluations,
        "seconds": seconds,
        "evaluations_per_second": run.evaluations / seconds if seconds else 0.0,
        "replacements": run.counters.replacements,
        "goal_switches": run.counters.goal_switches,
        "nan_images": run.nan_images,
        "archive_sha256": run.archive.digest(),
        "lineage_sha256": lineage.digest(RunDirectory(run.directory).lineage, run.counters.lineage_bytes),
        "confidence": {**statistics, "classes": len(run.aims)},
        "top1": run.top1_count,
        "elites": [
            {
                "class": int(number),
                "label": run.labels[number],
                "confidence": float(run.confidence[number]),
                "generation": int(run.ids[number, 0]),
                "image": f"elites/{elite_name(int(number))}",
                "top1": answer,
            }
            for number, answer in zip(run.archive.occupied, _answers(run), strict=True)
        ],
    }


def _answers(run: Snapshot) -> list[dict[str, Any] | None]:
    """What the classifier answers first to each elite, by class; None where that is not known."""
    top1, confidence = run.archive.elite_top1()
    return [
        {"class": answer, "label": run.labels[answer], "confidence": sure} if answer >= 0 else None
        for answer, sure in zip(top1[run.occupied].tolist(), confidence[run.occupied].tolist(), strict=True)
    ]
