"""Small synthetic runs, made without a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

MakeView = Callable[..., Any]


def _make_view(
    directory: Path,
    confidence: Sequence[float] = (0.9999, 0.995, 0.4),
    *,
    labels: Sequence[str] | None = None,
    groups: dict[str, list[int]] | None = None,
    image: Sequence[int] | None = None,
    shape: tuple[int, int, int] = (6, 6, 1),
    curve: list[dict[str, Any]] | None = None,
    status: str = "completed",
    seed: int = 0,
    aims: Sequence[int] | None = None,
    top1: Sequence[int] | None = None,
) -> Any:
    """A run's view with these confidences (NaN: no elite), each class with an image of its own unless
    `image` says otherwise; the search is for all of them unless `aims` names some, and the
    classifier answers each with its class first unless `top1` says otherwise (-1: not known). Class k's elite has the id (10 + image, 0, image)."""
    values = np.array(confidence, np.float32)
    rows = np.array(range(len(values)) if image is None else image, np.int32)
    rows[np.isnan(values)] = -1
    ids = np.stack([rows + 10, np.zeros_like(rows), rows], axis=1)
    ids[rows < 0] = -1
    answers = np.where(rows < 0, -1, np.arange(len(values)) if top1 is None else np.array(top1))
    directory.mkdir(exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (max(0, rows.max()) + 1, *shape), np.uint8)
    encoding = {"name": "cppn", "profile": "normalised", "colour": "grey" if shape[2] == 1 else "hls"}
    config = {"encoding": encoding, "search": {"name": "map-elites", "generations": 20}}
    return SimpleNamespace(
        directory=directory,
        status=status,
        manifest={"model": "builtin:lenet", "seed": seed, "config": config},
        labels=tuple(labels or (f"label {k}" for k in range(len(values)))),
        groups=groups or {},
        generation=20,
        evaluations=4200,
        nan_images=0,
        seconds=8.4,
        confidence=values,
        aims=np.arange(len(values)) if aims is None else np.array(aims),
        ids=ids,
        stored_rows=rows,
        stored_pixels=pixels,
        occupied=rows >= 0,
        images=np.where(rows[:, None, None, None] >= 0, pixels[rows], np.uint8(0)),
        top1=answers,
        top1_confidence=np.where(answers == np.arange(len(values)), values, np.float32(0.75)),
        top1_count=None if (answers[rows >= 0] < 0).any() else int((answers == np.arange(len(values))).sum()),
        curve=[_row(generation) for generation in (0, 10, 20)] if curve is None else curve,
    )


def _row(generation: int) -> dict[str, Any]:
    share = generation / 20
    return {
        "generation": generation,
        "evaluations": 200 * (generation + 1),
        "seconds": 0.4 * generation,
        "min": 0.1 + 0.3 * share,
        "median": 0.2 + 0.795 * share,
        "mean": 0.2 + 0.6 * share,
        "max": 0.5 + 0.4999 * share,
        "at_least_0.99": int(2 * share),
        "at_least_0.9999": int(share),
    }


@pytest.fixture
def make_view(tmp_path: Path) -> MakeView:
    """`make_view(confidence, name="run", **fields)`: a view in a directory of the test's own."""
    return lambda *args, name="run", **fields: _make_view(tmp_path / name, *args, **fields)
