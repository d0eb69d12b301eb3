"""What an audit found: data alone. docs/audit.md describes the keys; numbers are not rounded."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from fooling.studies import protocol
from fooling.studies.audit.attacks.result import Attacks
from fooling.studies.audit.black_box.result import BlackBox
from fooling.studies.audit.checks import Check
from fooling.studies.audit.detection.result import DetectorRow, EliteRow
from fooling.studies.audit.effort.result import Fooled
from fooling.studies.audit.recognition.result import Recognition
from fooling.studies.audit.transforms.result import Filter
from fooling.studies.protocol import Interval
from fooling.validation import Data, Many

KIND: Final = "fooling audit"


class Images(Data):
    """The real images.

    Attributes:
        fit, calibration, test: how many.
        sha256: of all of them and their classes.
        form: what they were read from, in words.
        doubts: what looks wrong about them.
    """

    fit: int
    calibration: int
    test: int
    sha256: str
    form: str
    doubts: Many[str]


class Seen(Data):
    """What the classifier lets be seen.

    Attributes:
        level: the most that its answers say.
        layer: the layer whose features were read; None: none.
        layer_sha256: of its name and its features of the synthetic images.
        missing: what is not there, and why.
    """

    level: str
    layer: str | None
    layer_sha256: str | None
    missing: dict[str, str]


class Result(protocol.Result):
    """What an audit found. What a part would have said is None, or empty, where that part was not measured.

    Attributes:
        model: the SPEC of the classifier.
        fingerprint: of the classifier, 64 hex digits.
        labels: the names of its classes.
        depth, seed: as asked.
        accuracy: the share of real test images that it names right; None where there are none.
        stopped: why nothing else was measured; None where the audit went through.
        access: what the classifier lets be seen.
        images: the real images; None where none were given.
        fooled: what it takes to fool the bare classifier.
        recognition: how much the images that fool it look like their classes.
        transforms: what filters in front of the classifier do.
        attacks: reference attacks on real images; None where there are no gradients or no such images.
        detectors: what could be put beside it.
        elites: of the bare classifier, and which detectors reject each.
        black_box: what works through a service that says little and counts queries.
        checks: everything that was looked at, with its verdict.
    """

    kind: Literal["fooling audit"] = KIND
    format: Literal[1] = 1
    model: str
    fingerprint: str
    labels: Many[str]
    depth: str
    seed: int
    accuracy: float | None = None
    accuracy_ci95: Interval | None = None
    stopped: str | None = None
    access: Seen
    images: Images | None = None
    fooled: Fooled | None = None
    recognition: Recognition | None = None
    transforms: Many[Filter] = ()
    attacks: Attacks | None = None
    detectors: Many[DetectorRow] = ()
    elites: Many[EliteRow] = ()
    black_box: BlackBox | None = None
    checks: Many[Check] = Field(())
