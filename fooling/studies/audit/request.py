"""What an audit is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from fooling.errors import did_you_mean
from fooling.studies import protocol
from fooling.studies.audit.parts import PARTS
from fooling.studies.protocol import AnyPath
from fooling.validation import Many

Depth = Literal["quick", "normal", "deep"]


class Request(protocol.Request):
    """How easily is this classifier fooled, and would anything that is deployed notice?

    Attributes:
        model: the SPEC of the classifier.
        samples: labelled real images, in any form that `fooling.datasets` reads; None: what needs them is not measured.
        ood: natural images that show none of the classes, in a folder or labelled in any form; None: none.
        out: the folder that keeps what is measured, so that an interrupted audit goes on; None: a temporary one.
        parts: the parts to measure; none: all.
        depth: how much is done (`fooling.studies.audit.budget`).
        seed: of all randomness.
        runs: run directories whose elites are used in place of runs that the audit would begin itself.
        others: SPECs of other classifiers, for transfer and for the panel.
        layer: the layer whose output detectors read as features; None: what the last linear layer is given.
        fail_on: rules, like "detector.energy.adaptive_success>=0.1".
        baseline: an earlier report, of which failures are known.
    """

    model: str
    samples: AnyPath | None = None
    ood: AnyPath | None = None
    out: AnyPath | None = None
    parts: Many[str] = ()
    depth: Depth = "normal"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    runs: Many[AnyPath] = ()
    others: Many[str] = ()
    layer: str | None = None
    fail_on: Many[str] = ()
    baseline: AnyPath | None = None

    @field_validator("parts")
    @classmethod
    def _known(cls, parts: tuple[str, ...]) -> tuple[str, ...]:
        for part in parts:
            if part not in PARTS:
                near = did_you_mean(part, PARTS)
                raise ValueError(f"expected parts of {', '.join(PARTS)}, found {part}{near}")
        return tuple(dict.fromkeys(parts))
