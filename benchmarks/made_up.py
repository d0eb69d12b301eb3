"""Run directories that no run has made: as large as is asked for, at once."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cppn.keys import Keys
from fooling.archive import lineage
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.spec import Spec
from fooling.config import ResolvedSettings, validate
from fooling.search import toolbox as toolboxes
from fooling.search.breeding import Offspring, vary
from fooling.store import checkpoint, directory
from fooling.store.checkpoint import Counters
from fooling.store.snapshot import empty_archive
from fooling.store.spec import ClassifierRecord, RunSpec

GENERATIONS = 400


def make_run(
    path: Path,
    classes: int,
    size: int,
    colour: Literal["grey", "rgb"] = "rgb",
    encoding: Literal["cppn", "direct"] = "cppn",
    ended: bool = True,
    drawn: bool = False,
    seed: int = 0,
    labels: Sequence[str] | None = None,
) -> None:
    """Write a run of so many classes, each with an elite: confidences from 0 to 1, most of them high; one elite in seven is
    called something else first.

    Args:
        path: of the run directory.
        size: of the images, in pixels.
        ended: whether it is completed.
        drawn: whether the images are those of the genotypes, and no noise.
        labels: of the classes; None: made-up ones.
    """
    draws = np.random.default_rng(seed)
    spec = _spec(labels or _labels(classes), size, colour, encoding, seed)
    folder = directory.create(path, spec)
    archive, drawing = empty_archive(spec.config, spec.classifier.spec)
    confidence = (1 - 10 ** draws.uniform(-7, -0.05, classes)).astype(np.float32)
    archive.thresholds = confidence
    archive.rows = np.arange(classes, dtype=np.int32)
    archive.ids[:] = [(int(draws.integers(0, GENERATIONS)), 0, number) for number in range(classes)]
    archive.top1[:] = np.where(
        draws.random(classes) < 6 / 7, np.arange(classes), draws.integers(0, classes, classes)
    )
    archive.top1_confidence[:] = np.maximum(confidence, 0.5)
    born = vary(
        toolboxes.build(drawing, None),
        drawing.empty(),
        Offspring(Keys(seed, 0, np.arange(classes, dtype=np.uint32), 0), None),
    )
    archive.genotypes = archive.genotypes.put(np.arange(classes), (born, range(classes)))
    archive.pixels[:] = (
        drawing.render(born) if drawn else draws.integers(0, 256, archive.pixels.shape, np.uint8)
    )
    log = _log(confidence, draws, ended)
    folder.events.write_text(log)
    records = lineage.records(archive.ids)
    folder.lineage.write_bytes(lineage.to_bytes(records))
    counters = Counters(
        generation=GENERATIONS,
        evaluations=200 * (GENERATIONS + 1),
        seconds=GENERATIONS * 2.5,
        replacements=classes * 9,
        events_bytes=len(log.encode()),
        lineage_bytes=len(records) * lineage.RECORD,
    )
    checkpoint.save(folder.checkpoints, checkpoint.Checkpoint(counters, archive.arrays()))


def _labels(classes: int) -> list[str]:
    words = ["stone", "lizard", "harp", "ferry", "mitten", "orchid", "beacon", "pretzel", "comet", "violin"]
    return [f"{words[n % 10]} {words[n // 10 % 10]} {n}" for n in range(classes)]


def _spec(
    labels: Sequence[str], size: int, colour: Literal["grey", "rgb"], encoding: str, seed: int
) -> RunSpec:
    classes = len(labels)
    classifier = Spec(
        name=f"made-up-{classes}",
        labels=tuple(labels),
        groups={
            "animals": tuple(n for n in range(classes) if n % 10 < 4),
            "things": tuple(n for n in range(classes) if n % 10 >= 4),
        },
        size=size,
        colour=colour,
        output="logits",
    )
    settings = validate(
        {
            "seed": seed,
            "encoding": {"name": encoding},
            "search": {"name": "map-elites", "generations": GENERATIONS},
        },
        "a made-up run",
    )
    return RunSpec(
        created="2026-01-01T00:00:00+00:00",
        model=settings.model,
        seed=seed,
        config=ResolvedSettings.of(settings, size, colour, classes),
        classifier=ClassifierRecord(spec=classifier, fingerprint=hashlib.sha256(b"made up").hexdigest()),
        numerics=Numerics(),
        operators={},
        versions={"fooling": "made up"},
        trust=False,
    )


def _log(confidence: Any, draws: np.random.Generator, ended: bool) -> str:
    """A log in which confidences rise to what they are, with some gains in each generation."""
    lines = []
    for generation in range(GENERATIONS + 1):
        share = (generation + 1) / (GENERATIONS + 1)
        now = confidence * math.sqrt(share)
        record = {
            "event": "generation",
            "generation": generation,
            "evaluations": 200 * (generation + 1),
            "seconds": 2.5 * generation,
            "median": float(np.median(now)),
            "mean": float(np.mean(now)),
            "min": float(now.min()),
            "max": float(now.max()),
            "at_least_0.99": int((now >= 0.99).sum()),
            "at_least_0.9999": int((now >= 0.9999).sum()),
            "replacements": 3,
            "goal_switches": 1,
            "gains": [[int(n), float(now[n])] for n in draws.integers(0, len(now), 3)],
        }
        lines.append(record)
    if ended:
        lines.append({"event": "completed", "generation": GENERATIONS})
    return "".join(json.dumps(line) + "\n" for line in lines)
