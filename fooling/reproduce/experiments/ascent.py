"""`ascent`: the gradient climbed from noise, without and with L2 decay (Nguyen, Yosinski & Clune 2015, section 3.9,
figure 13; on digits here, on ImageNet networks in docs/results/ascent.md)."""

from __future__ import annotations

import numpy as np

from fooling.reproduce.experiments import pictures
from fooling.reproduce.experiments.digits import image_of
from fooling.reproduce.result import Figure, Result, Row, percent, spread
from fooling.reproduce.workspace import Workspace
from fooling.store.snapshot import Snapshot

CONFIGS = {"without regulariser": "mnist-ascent", "with L2 decay": "mnist-ascent-l2"}


def perform(workspace: Workspace) -> Result:
    """Both settings, a run of 100 climbs each seed."""
    rows, shares, shown = [], {}, []
    for title, config in CONFIGS.items():
        runs = workspace.runs(config)
        reached = shares[title] = tuple(share_at(run) for run in runs)
        lowest = tuple(float(run.confidence.min()) for run in runs)
        rows += [
            Row(f"{title}: climbs that reach 99.99 %", _PAPER[title], spread(reached, percent), reached),
            Row(f"{title}: lowest of the ten digits' best images", "–", spread(lowest), lowest),
        ]
        shown += [image_of(runs[0], number) for number in range(len(runs[0].labels))]
    labels = runs[0].labels
    plain = float(np.median(shares["without regulariser"]))
    return Result(
        "partly" if plain >= 0.95 else "not reproduced",
        f"Without regulariser {percent(plain)} of the climbs reach 99.99 %, as in the paper; but strokes of the digits "
        "can be seen in the images, where the paper's, of ImageNet's classes, are unrecognisable.",
        tuple(rows),
        figures=(
            Figure(
                "images",
                "The best image of each digit: without regulariser above, with L2 decay below.",
                pictures.strip(shown, [*labels, *labels], heads=("none", "L2")),
            ),
        ),
        notes="Each run climbs from ten noisy grey images towards each digit (docs/ascent.md). On ImageNet networks the images "
        "are unrecognisable here too: [the same experiment there](../ascent.md).",
        numbers={title: list(values) for title, values in shares.items()},
    )


_PAPER = {"without regulariser": "99.99 % (images shown)", "with L2 decay": "–"}


def share_at(run: Snapshot) -> float:
    """The share of a run's climbs that reached 99.99 %."""
    last = run.curve[-1]
    return last["climbs_at_least_0.9999"] / last["climbs"]
