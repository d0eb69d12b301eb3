"""A report made by hand: every part is there, and every state of a check."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from fooling.store.elites import encode
from fooling.studies.audit.attacks.result import Attacks, Curve
from fooling.studies.audit.black_box.result import Alarm, BlackBox, Scenario, StandIn
from fooling.studies.audit.checks import held, not_measurable
from fooling.studies.audit.detection.result import DetectorRow
from fooling.studies.audit.effort.result import Effort, Fooled, Method
from fooling.studies.audit.gating import Rule
from fooling.studies.audit.recognition.result import Control, Look, Recognition
from fooling.studies.audit.report import Report, report_of
from fooling.studies.audit.request import Request
from fooling.studies.audit.result import Images, Result, Seen
from fooling.studies.audit.shares import Share
from fooling.studies.audit.transforms.result import Cost, Evolved, Filter, Survival

NASTY = "<b>né</b>\x1b[31m\u202e"
ALL = Share(value=1.0, count=10, ci95=(0.7, 1.0))


def effort(method: str, share: float, **other: Any) -> Effort:
    given: dict[str, Any] = {
        "method": method, "level": 0.99, "classes": 10, "runs": 2, "budget": 3100, "share": share,
        "images_50": 300.0, "seconds_50": 4.0, "curve": ((0.0, 0.0), (100.0, share / 2), (900.0, share)),
    }  # fmt: skip
    return Effort(**{**given, **other})


def detector(name: str, static: float, adaptive: float, caught: float) -> DetectorRow:
    return DetectorRow(
        name=name, title=name, paper="somebody 2020", auroc=0.9, detected_at_5pct_false_alarms=caught,
        static_success=static, adaptive_success=adaptive, adaptive_success_ci95=(max(0, adaptive - 0.1), adaptive),
        effort_ratio=3.25, fpr95_fooling_positive=0.2, fpr95_real_positive=0.3, rejected_real=0.05, accuracy_kept=0.94,
        verdict="fail" if adaptive >= 0.1 else "pass", why="as measured",
    )  # fmt: skip


def look(number: int, score: float | None) -> Look:
    png = encode(np.full((4, 4, 1), 25 * number, np.uint8))
    return Look(
        run="cppn-0", number=number, label=NASTY if number == 1 else str(number), confidence=0.999, score=score,
        basis="pixels", pixels=score, features=score, pixel_distance=0.2, feature_distance=0.2, panel=0.5,
        panel_agrees=1, sha256="ab" * 32, png=base64.b64encode(png).decode(),
    )  # fmt: skip


def filter_of(name: str, found: float) -> Filter:
    evolved = Evolved(
        encoding="cppn", runs=1, budget=3100, success=Share(value=found, count=10, ci95=(0, 1)), median=0.9,
        images_50=None, images_90=None, bare_50=300, bare_90=900,
    )  # fmt: skip
    return Filter(
        name=name,
        text="does something",
        parameters={},
        survival=(Survival(encoding="cppn", kept_50=ALL, kept_99=ALL, shift=0.0),),
        cost=Cost(accuracy=Share(value=0.98, count=100), bare=0.99, rejected_50=ALL, rejected_99=ALL),
        evolved=evolved,
    )


def made(**other: Any) -> Result:
    given: dict[str, Any] = {
        "model": "builtin:lenet",
        "fingerprint": "cd" * 32,
        "labels": ("0", NASTY, "2"),
        "depth": "quick",
        "seed": 0,
        "accuracy": 0.99,
        "accuracy_ci95": (0.98, 0.995),
        "access": Seen(level="logits", layer="7:input", layer_sha256="ef" * 32, missing={"gradients": "none"}),
        "images": Images(fit=20, calibration=10, test=10, sha256="12" * 32, form="an .npz", doubts=()),
        "fooled": Fooled(
            methods=(Method(name="cppn", runs=("runs/cppn-0",)), Method(name="gradient-ascent", why="needs gradients")),
            efforts=(effort("cppn", 1.0), effort("direct", 0.2, images_50=None, seconds_50=None)),
        ),
        "recognition": Recognition(
            panel=("builtin:mlp",), second="builtin:mlp", looks=(look(0, 0.9), look(1, 0.0), look(2, None)),
            controls=(Control(name="real", images=10, mean=0.9, like=1.0, like_ci95=(0.7, 1)),),
            like=1, scored=2, fooling=0.5, fooling_ci95=(0.1, 0.9),
        ),
        "detectors": (
            detector("energy", 0.4, 1.0, 0.6), detector("knn", 0.1, 0.3, 0.9),
            DetectorRow(name="odin", title="odin", paper="", verdict="not measurable", why="needs gradients: none"),
        ),
        "transforms": (filter_of("jpeg-75", 1.0), filter_of("median-3", 0.5)),
        "attacks": Attacks(images=5, epsilons=(0, 8), curves=(Curve(attack="pgd", accuracy=(1.0, 0.5), auac=0.75),)),
        "black_box": BlackBox(
            failures=0.05, doubtful_below=0.1,
            stand_in=StandIn(model="builtin:mlp", images=10, first=ALL, at_99=ALL),
            scenarios=(
                Scenario(
                    access="top-1", text="the first label", budget=1000, runs=1, queries=900, success=ALL,
                    alarms=(Alarm(name="near-copies", first=(12,), share=0.5, real=0.0),),
                ),
                Scenario(access="label", text="the label alone", budget=1000, why="needs more queries"),
            ),
        ),
        "checks": (
            held("accuracy", True, 0.99, ">= 0.98", "as the spec says", (0.98, 0.995)),
            held("effort.cppn", False, 1.0, "< 0.1", f"too easy, {NASTY}"),
            not_measurable("detector.odin", "needs gradients: none"),
        ),
    }  # fmt: skip
    return Result(**{**given, **other})


@pytest.fixture
def report() -> Report:
    """A report that was held to a rule which it breaks."""
    rules = [Rule.parse("detector.energy.adaptive_success>=0.5")]
    return report_of(made(), Request(model="builtin:lenet", depth="quick"), rules)
