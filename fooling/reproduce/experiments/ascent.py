"""`ascent`: the gradient climbed from noise, without and with L2 decay (Nguyen, Yosinski & Clune 2015, section 3.9,
figure 13; on digits here, on ImageNet networks in docs/results/ascent.md)."""

from __future__ import annotations

import numpy as np

from fooling.present.grid import image_grid, png_of
from fooling.reproduce.result import Claim, Figure, Result, Row, percent
from fooling.reproduce.workspace import Workspace
from fooling.store.snapshot import Snapshot

# The words for a setting -> its config, and what the paper says of it.
SETTINGS = {
    "without regulariser": ("mnist-ascent", "99.99 % (images shown)"),
    "with L2 decay": ("mnist-ascent-l2", "–"),
}
MOST = 0.95  # share of the climbs


def perform(workspace: Workspace) -> Result:
    """Compare both settings, with a run of 100 climbs for each seed."""
    rows, shares, images = [], {}, []
    captions: list[str] = []
    for title, (config, paper) in SETTINGS.items():
        runs = workspace.runs(config)
        shares[title] = [share_at(run) for run in runs]
        lowest = [float(run.confidence.min()) for run in runs]
        rows += [
            Row.over(f"{title}: climbs that reach 99.99 %", shares[title], percent, paper),
            Row.over(f"{title}: lowest of the ten digits' best images", lowest),
        ]
        images += list(runs[0].images)
        captions += runs[0].labels
    plain = float(np.median(shares["without regulariser"]))
    return Result(
        (
            Claim("Climbing the gradient makes images of 99.99 %", plain >= MOST,
                  f"Without regulariser {percent(plain)} of the climbs reach 99.99 %."),
            Claim("The images are unrecognisable", False, "Strokes of the digits can be seen in the images, where the "
                  "paper's, of ImageNet's classes, are unrecognisable."),
        ),
        tuple(rows),
        figures=(
            Figure("images", "The best image of each digit: without regulariser above, with L2 decay below.",
                   png_of(image_grid(images, captions, heads=("none", "L2")))),
        ),
        notes="Each run climbs from ten noisy grey images towards each digit (docs/ascent.md). On ImageNet networks the images "
        "are unrecognisable here too: [the same experiment there](../ascent.md).",
        numbers=shares,
    )  # fmt: skip


def share_at(run: Snapshot) -> float:
    """The share of a run's climbs that reached 99.99 %."""
    last = run.curve[-1]
    return last["climbs_at_least_0.9999"] / last["climbs"]
