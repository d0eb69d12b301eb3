"""A transfer as pages draw it, on a disk and in the service: `web/matrix.js` says what it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fooling.confidence import shortest
from fooling.model_specs import short
from fooling.studies.transfer.result import Cell, Elite, Result


def drawn(result: Result, names: Mapping[str, str]) -> dict[str, Any]:
    """What a page is given.

    Args:
        names: what to call each source.
    """
    sources = {source: number for number, source in enumerate(result.sources)}
    targets = {target: number for number, target in enumerate(result.targets)}
    return {
        "targets": list(result.targets),
        "short": [short(target) for target in result.targets],
        "sources": [names[source] for source in result.sources],
        "fooling_all": len(result.fooling_all),
        "cells": [_cell(cell, sources, targets) for cell in result.cells],
        "images": [_image(elite, sources, targets) for elite in result.images],
        "left_out": [
            {"what": names.get(one.what, one.what), "reason": one.reason} for one in result.failures
        ],
    }


def _cell(cell: Cell, sources: Mapping[str, int], targets: Mapping[str, int]) -> dict[str, Any]:
    return {
        "source": sources[cell.source],
        "target": targets[cell.target],
        "home": cell.at_home,
        "images": cell.images,
        "without": cell.without_class,
        "share": cell.same_top1,
        "interval": cell.same_top1_ci95,
        "top5": cell.same_top5,
        "median": _single(cell.median_confidence),
        "mean": _single(cell.mean_confidence),
    }


def _image(elite: Elite, sources: Mapping[str, int], targets: Mapping[str, int]) -> dict[str, Any]:
    return {
        "source": sources[elite.source],
        "label": elite.label,
        "class": elite.number,
        "confidence": _single(elite.confidence),
        "answers": [
            [
                targets[answer.target],
                answer.rank,
                _single(answer.confidence),
                answer.top1,
                _single(answer.top1_confidence),
            ]
            for answer in elite.targets
        ],
    }


def _single(confidence: float | None) -> float | None:
    """As the page's script words it: with the digits that tell a float32."""
    return None if confidence is None else shortest(confidence)
