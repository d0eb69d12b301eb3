"""Detectors as data."""

from __future__ import annotations

from typing import Literal

from fooling.studies.audit.checks import Check, Verdict
from fooling.studies.protocol import Interval
from fooling.validation import Data, Many

DIRECTION: Literal["higher is real"] = "higher is real"


class Against(Data):
    """How well a detector tells real test images from a kind of others.

    Attributes:
        kind: "noise", "random-cppn", "natural", "elites" (all, of the bare classifier), "static" (those of a confidence
            of at least 0.99), "transfer" (elites of other networks).
        seen: whether the detector was trained on images of this kind.
        images, groups: how many; of elites, the groups are runs.
        auroc: the chance that a real image scores higher, a tie counted a half.
        fpr95_fooling_positive: false alarms where 95 % of these are caught.
        fpr95_real_positive: the share of these that pass where 95 % of real images pass.
        detected_at_5pct_false_alarms: the share below the threshold that was set on the calibration images.
        ..._ci95: by a bootstrap over groups; of single images over images.
        quantiles: of the scores, at 0, 5, ..., 100 %.
    """

    kind: str
    seen: bool = False
    images: int
    groups: int
    auroc: float
    auroc_ci95: Interval | None = None
    fpr95_fooling_positive: float
    fpr95_real_positive: float
    detected_at_5pct_false_alarms: float
    detected_at_5pct_false_alarms_ci95: Interval | None = None
    quantiles: Many[float] = ()


class DetectorRow(Data):
    """What was found of a detector. Its own numbers are those against static elites; None where it is not measurable.

    Attributes:
        name, title, paper: of the detector.
        direction: which way its score goes.
        layer: the layer whose features it reads; None: it reads none.
        parameters: what was fitted or fixed.
        threshold: the score below which an image is rejected, set so that 5 % of the calibration images are.
        rejected_real: the share of real test images below it.
        accuracy_kept: the share of real test images that are accepted and named right.
        accuracy: the share that are named right by what answers: another network where the detector is trained.
        auroc, fpr95_fooling_positive, fpr95_real_positive, detected_at_5pct_false_alarms: see `Against`.
        static_success: the share of classes of which a static elite is accepted.
        adaptive_success: the share of classes with an accepted image of a confidence of at least 0.99, among those
            evolved against classifier and detector together and the static elites.
        evolved_success: likewise, among the former alone.
        adaptive_images_50, bare_images_50: images until half of the classes have such an image: evolved against both,
            and against the bare classifier; None: not within the budget.
        effort_ratio: the former over the latter.
        real_quantiles: of the scores of real test images, at 0, 5, ..., 100 %.
        against: each kind of other images.
        runs: the run directories of the adaptive search.
        verdict: "pass" where few classes are left to whoever knows the detector.
        why: one sentence.
    """

    name: str
    title: str
    paper: str
    direction: Literal["higher is real"] = DIRECTION
    layer: str | None = None
    parameters: dict[str, float] = {}  # noqa: RUF012 (pydantic copies it)
    threshold: float | None = None
    rejected_real: float | None = None
    accuracy: float | None = None
    accuracy_kept: float | None = None
    auroc: float | None = None
    auroc_ci95: Interval | None = None
    fpr95_fooling_positive: float | None = None
    fpr95_real_positive: float | None = None
    detected_at_5pct_false_alarms: float | None = None
    detected_at_5pct_false_alarms_ci95: Interval | None = None
    static_success: float | None = None
    static_success_ci95: Interval | None = None
    adaptive_success: float | None = None
    adaptive_success_ci95: Interval | None = None
    evolved_success: float | None = None
    adaptive_images_50: float | None = None
    bare_images_50: float | None = None
    effort_ratio: float | None = None
    real_quantiles: Many[float] = ()
    against: Many[Against] = ()
    runs: Many[str] = ()
    verdict: Verdict
    why: str


class EliteRow(Data):
    """An elite of the bare classifier.

    Attributes:
        run, encoding: its run directory, and how its genotype is.
        number: the class.
        label: its name.
        confidence: of the bare classifier.
        image: the PNG, relative to the run directory.
        rejected_by: the names of the detectors that reject it.
    """

    run: str
    encoding: str
    number: int
    label: str
    confidence: float
    image: str
    rejected_by: Many[str] = ()


class Part(Data):
    """This part of an audit."""

    detectors: Many[DetectorRow]
    elites: Many[EliteRow]
    checks: Many[Check]
