"""Run directories that somebody else made, as far as a glance reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def make_run(
    directory: Path, *, generations: int = 5, ending: str | None = "completed", **manifest: Any
) -> Path:
    """A run directory with a manifest and a log, and nothing else."""
    directory.mkdir(parents=True)
    whole = {
        "format": 1,
        "created": "2026-01-02T03:04:05+00:00",
        "model": "builtin:lenet",
        "seed": 7,
        "config": {
            "encoding": {"name": "cppn"},
            "search": {"name": "map-elites", "generations": generations, "population": 200},
        },
        "classifier": {"spec": {"labels": [str(digit) for digit in range(10)]}, "fingerprint": "0" * 64},
        **manifest,
    }
    (directory / "manifest.json").write_text(json.dumps(whole))
    (directory / "lock").touch()
    write_log(directory, generations, ending)
    return directory


def write_log(directory: Path, generations: int, ending: str | None = None) -> None:
    """A log of so many generations after the first, 200 images and a tenth of a second each."""
    lines = [
        {
            "event": "generation",
            "generation": number,
            "evaluations": 200 * (number + 1),
            "seconds": 0.1 * (number + 1),
            "median": 0.5,
            "mean": 0.5,
            "min": 0.25,
            "max": 1.0,
            "gains": [[digit, 0.5] for digit in range(10)],
        }
        for number in range(generations + 1)
    ]
    if ending:
        lines.append(
            {"event": ending, "generation": generations, "reason": "why" if ending == "failed" else ""}
        )
    (directory / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
