"""What a study may be asked for over the API, as a model for each kind (`fooling.service.schema` has all else)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from fooling.service.schema import Id, Part, Share, Spec, Words


class TransferRequest(Part):
    """Do the elites of runs fool other classifiers too?"""

    kind: Literal["transfer"]
    runs: list[Id] = Field(min_length=1, max_length=100)
    to: list[Spec] = Field(min_length=1, max_length=100, description="SPECs, as `GET /models` lists them")
    min_confidence: Share = Field(0.0, strict=False, description="only elites of at least this confidence")
    rerender: bool = Field(False, description="draw CPPNs anew at each target's own size")
    label: Words = ""


class CompareRequest(Part):
    """Runs beside each other."""

    kind: Literal["compare"]
    runs: list[Id] = Field(min_length=2, max_length=100)
    label: Words = ""


class LineageRequest(Part):
    """Where did an elite come from? Ancestors that were not kept are bred once more."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: Literal["lineage"]
    run: Id
    number: int = Field(alias="class", ge=0, lt=2**31)
    label: Words = ""


class RecognitionRequest(Part):
    """What did people recognise in runs?"""

    kind: Literal["recognition"]
    runs: list[Id] = Field(min_length=1, max_length=100)
    label: Words = ""


class AuditRequest(Part):
    """How easily is a classifier fooled, and would anything that is deployed notice?"""

    kind: Literal["audit"]
    model: Spec = Field(description="a SPEC, as `GET /models` lists them")
    depth: Literal["quick", "normal", "deep"] = Field("quick", description="how much is done")
    seed: int = Field(0, ge=0, lt=2**63, description="of all randomness")
    runs: list[Id] = Field(
        [],
        max_length=100,
        description="runs whose elites are used in place of runs that the audit would begin",
    )
    others: list[Spec] = Field(
        [], max_length=20, description="other classifiers of the same classes, as `GET /models` lists them"
    )
    samples: str | None = Field(
        None,
        max_length=255,
        description="the name of the labelled real images to use, of those that the server was started with "
        "(`--samples`); default: the first of them, where there are any",
    )
    label: Words = ""


class ExplainRequest(Part):
    """Why are the elites of a run what they are?"""

    kind: Literal["explain"]
    run: Id
    classes: list[Annotated[int, Field(ge=0, lt=2**31)]] | None = Field(
        None, min_length=1, max_length=1000, description="only these (default: all)"
    )
    label: Words = ""


StudyRequest = Annotated[
    TransferRequest | CompareRequest | LineageRequest | RecognitionRequest | AuditRequest | ExplainRequest,
    Field(discriminator="kind"),
]
