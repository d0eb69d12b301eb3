"""An experiment as data: what `fooling retrain --json` prints and `retrain.json` holds.

Numbers are not rounded; null stands where there is none. Nothing in it depends on when or how fast it was done.
The keys are described in docs/retrain.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from fooling.studies.rank_tests import mann_whitney
from fooling.studies.retrain.measures import Round, Share

KIND, FORMAT = "fooling retrain", 1
LEVELS = (0.99, 0.9999)


def document(rounds: Sequence[Round], labels: Sequence[str]) -> dict[str, Any]:
    """The rounds as JSON-like data.

    Args:
        rounds: from round 0 on.
        labels: of the classes, "fooling" left out.
    """
    return {
        "kind": KIND,
        "format": FORMAT,
        "labels": list(labels),
        "rounds": [_round(one, rounds[0]) for one in rounds],
    }


def _round(one: Round, first: Round) -> dict[str, Any]:
    known = one.recognised
    return {
        "round": one.number,
        "fingerprint": one.fingerprint,
        "training_images": one.training_images,
        "fooling_images": one.fooling_images,
        "accuracy": _share(one.accuracy),
        "accuracy_among_classes": _share(one.accuracy_among_classes),
        "recognised": known and {part.name: _share(getattr(known, part.name)) for part in fields(known)},
        "confidence": {
            "median": one.median,
            "mean": float(one.confidences.mean(dtype=np.float64)),
            **{f"at_least_{level}": float((one.confidences >= np.float32(level)).mean()) for level in LEVELS},
            "medians": one.medians.tolist(),
            "elites": one.confidences.tolist(),
        },
        "against_first": asdict(mann_whitney(one.medians, first.medians)) if one.number else None,
        "runs": len(one.confidences),
        "evaluations": one.evaluations,
        "harvested": one.sampled,
    }


def _share(share: Share) -> dict[str, Any]:
    return {"share": share.value, "ci95": share.interval, "hits": share.hits, "images": share.images}
