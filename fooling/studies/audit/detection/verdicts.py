"""What the numbers of a detector mean, as checks."""

from __future__ import annotations

from typing import Any

import numpy as np

from fooling.studies.audit.checks import Check, held, not_measurable
from fooling.studies.audit.detectors.protocol import F64, Detector
from fooling.studies.audit.metrics import FALSE_ALARMS, auroc
from fooling.studies.intervals import wilson

TOLERATED = 0.1  # share of classes: a detector passes where fewer are left to whoever knows it
CAUGHT = 0.95  # of static elites, at 5 % false alarms
MARGIN = 0.015  # how far the share of rejected test images may be from 5 %, or three standard errors
ALL = ("direction", "threshold", "static", "search", "adaptive_success")


def id_of(detector: Detector, check: str) -> str:
    """The id of a detector's check."""
    return f"detector.{detector.name}.{check}"


def missing(detector: Detector, why: str, checks: tuple[str, ...] = ALL) -> list[Check]:
    """The checks of a detector that can't be measured."""
    return [not_measurable(id_of(detector, name), why) for name in checks]


def direction(detector: Detector, real: F64, noise: F64) -> Check:
    """Whether real images score higher than uniform noise in the mean, and more often than not: a detector that can't
    tell these apart is broken here, and its other numbers mean nothing."""
    value = auroc(real, noise)
    higher = bool(real.mean() > noise.mean())
    why = (
        f"real images score {real.mean():.4g} in the mean, noise {noise.mean():.4g}; a real image is higher in "
        f"{value:.1%} of pairs"
    )
    return held(id_of(detector, "direction"), higher and value > 0.5, value, "> 0.5", why)


def checks_of(detector: Detector, row: dict[str, Any], calibration: int, test: int) -> list[Check]:
    """The checks of a detector that was measured; the last one decides.

    Args:
        row: its numbers.
        calibration, test: how many real images.
    """
    share = row["rejected_real"]
    margin = max(MARGIN, 3 * float(np.sqrt(FALSE_ALARMS * (1 - FALSE_ALARMS) * (1 / calibration + 1 / test))))
    rejected = held(
        id_of(detector, "threshold"),
        abs(share - FALSE_ALARMS) <= margin,
        share,
        f"{FALSE_ALARMS} +- {margin:.3f}",
        f"a threshold that rejects 5 % of {calibration} calibration images rejects {share:.2%} of {test} test images",
        wilson(round(share * test), test),
    )
    caught = row.get("detected_at_5pct_false_alarms")
    static = not_measurable(id_of(detector, "static"), "needs elites, found none", f">= {CAUGHT}")
    if caught is not None:
        static = held(
            id_of(detector, "static"),
            caught >= CAUGHT,
            caught,
            f">= {CAUGHT}",
            f"{caught:.1%} of the elites of the bare classifier are rejected at 5 % false alarms",
            row.get("detected_at_5pct_false_alarms_ci95"),
        )
    return [rejected, static, _search(detector, row), _adaptive(detector, row)]


def _search(detector: Detector, row: dict[str, Any]) -> Check:
    """Whether the search against both is a search: it should not find less than what was found without it."""
    alone, static = row["evolved_success"], row["static_success"]
    why = f"evolved against both, {alone:.0%} of the classes are left, with the elites of the bare classifier {static:.0%}"
    if alone < static:
        why += ": the budget of the search was too small, or it is broken"
    return held(id_of(detector, "search"), alone >= static, alone, f">= {static:.4g}", why)


def _adaptive(detector: Detector, row: dict[str, Any]) -> Check:
    value, ratio, needed = row["adaptive_success"], row["effort_ratio"], row["adaptive_images_50"]
    why = f"{value:.0%} of the classes have an accepted image of confidence 0.99 when it is evolved against the detector"
    if ratio is not None:
        why += f", half of them after {needed:,.0f} images, {ratio:.2g} times as many as without it"
    elif row["bare_images_50"] is not None:
        why += "; less than half of them within the budget of the search alone"
    id = id_of(detector, "adaptive_success")
    return held(id, value < TOLERATED, value, f"< {TOLERATED}", why, row["adaptive_success_ci95"])
