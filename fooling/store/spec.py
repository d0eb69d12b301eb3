"""What a run is: a value, made once at its start, that the manifest holds and everything else reads.

A manifest may come from a stranger: what is read from one is believed only as far as it fits these types. Keys that a
newer writer adds are left out. `trust` is information: nobody acts on it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from fooling.classifiers.answers import Answer
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.spec import Spec
from fooling.config import ResolvedSettings
from fooling.validation import Stored

FORMAT = 1

Text = Annotated[str, Field(max_length=4096)]


class ClassifierRecord(Stored):
    """What the classifier of a run is.

    Attributes:
        spec: labels, preprocessing, output kind.
        fingerprint: 64 hex digits (`fooling.classifiers.fingerprint`).
        answers: some of its confidences on the synthetic batch (`fooling.classifiers.answers`); None in runs that are
            older than these.
    """

    spec: Spec
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{8,128}$")]
    answers: tuple[Answer, ...] | None = None


class RunSpec(Stored):
    """Everything that a run is, with nothing left open.

    Attributes:
        format: of the run directory.
        created: time of its start, ISO 8601.
        model: the classifier, as `source:name`.
        seed: of all randomness.
        config: all settings, resolved.
        classifier: what the classifier is.
        numerics: how the classifier computes.
        operators: the operators that a Python user swapped, by name, and what each is.
        versions: of the software that the run began with, by name.
        trust: whether the model was allowed to bring code of its own.
    """

    format: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT
    created: Text = ""
    model: Text
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    config: ResolvedSettings
    classifier: ClassifierRecord
    numerics: Numerics
    operators: dict[Text, Text]
    versions: dict[Text, Text]
    trust: bool

    @model_validator(mode="after")
    def _consistent(self) -> RunSpec:
        for name in ("model", "seed"):
            if getattr(self, name) != getattr(self.config, name):
                raise ValueError(
                    f"{name}: expected {getattr(self.config, name)!r}, as in config, found {getattr(self, name)!r}"
                )
        return self
