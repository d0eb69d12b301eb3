"""A transfer matrix as data: what `fooling transfer --json` prints and `transfer.json` holds.

Numbers are not rounded; null stands where there is none. The keys are described in docs/transfer.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fooling.studies.intervals import bootstrap, wilson
from fooling.studies.transfer.measure import Cell

FORMAT = 1
KIND = "fooling transfer"


def document(cells: Sequence[Cell], least: float, left_out: Mapping[str, str]) -> dict[str, Any]:
    """The matrix as JSON-like data.

    Args:
        cells: of every source and every target, source by source.
        least: the confidence that an elite must have at home.
        left_out: run directory or target -> why it is not part of it.
    """
    sources = list(dict.fromkeys(str(cell.source.view.directory) for cell in cells))
    targets = list(dict.fromkeys(cell.target for cell in cells))
    return {
        "kind": KIND,
        "format": FORMAT,
        "sources": sources,
        "targets": targets,
        "min_confidence": least,
        "cells": [_cell(cell) for cell in cells],
        "images": [
            image
            for source in sources
            for image in _images([cell for cell in cells if str(cell.source.view.directory) == source])
        ],
        "left_out": [{"what": what, "reason": reason} for what, reason in left_out.items()],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    """Counted over the images whose class the target has; null of none."""
    known = cell.known
    count, held = int(known.sum()), cell.confidence[known].astype(np.float64)
    top1, top5 = int(cell.same_top1.sum()), int(cell.same_top5.sum())
    at = {level: int((cell.confidence[known] >= np.float32(level)).sum()) for level in (0.99, 0.9999)}
    return {
        "source": str(cell.source.view.directory),
        "source_model": cell.source.view.manifest["model"],
        "target": cell.target,
        "images": count,
        "without_class": int((~known).sum()),
        "same_top1": _share(top1, count),
        "same_top1_ci95": wilson(top1, count),
        "same_top5": _share(top5, count),
        "same_top5_ci95": wilson(top5, count),
        "mean_confidence": float(held.mean()) if count else None,
        "mean_confidence_ci95": bootstrap(held, np.mean),
        "median_confidence": float(np.median(held)) if count else None,
        "median_confidence_ci95": bootstrap(held, np.median),
        "at_least_0.99": _share(at[0.99], count),
        "at_least_0.99_ci95": wilson(at[0.99], count),
        "at_least_0.9999": _share(at[0.9999], count),
        "at_least_0.9999_ci95": wilson(at[0.9999], count),
    }


def _share(hits: int, count: int) -> float | None:
    return hits / count if count else None


def _images(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Each elite of one source, and what every target says of it."""
    source = cells[0].source
    return [
        {
            "source": str(source.view.directory),
            "class": int(number),
            "label": source.view.labels[number],
            "confidence": float(source.confidences[row]),
            "fools": [cell.target for cell in cells if cell.same_top1[row]],
            "targets": [
                {
                    "target": cell.target,
                    "confidence": float(cell.confidence[row]) if cell.known[row] else None,
                    "rank": int(cell.rank[row]) if cell.known[row] else None,
                    "top1": cell.labels[cell.top[row]],
                    "top1_confidence": float(cell.top_confidence[row]),
                }
                for cell in cells
            ],
        }
        for row, number in enumerate(source.classes.tolist())
    ]


def fooled_by(
    data: Mapping[str, Any], these: Sequence[str], none_of: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Of a document's images, those that fool all of `these` targets and none of the others."""
    return [
        image
        for image in data["images"]
        if set(these) <= set(image["fools"]) and not set(none_of) & set(image["fools"])
    ]


def short(spec: str) -> str:
    """A model SPEC without its source and folders, for people."""
    return spec.rpartition("/")[2].rpartition(":")[2].removesuffix(".toml")
