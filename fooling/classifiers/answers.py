"""A classifier is what it answers: how one is known again where its fingerprint can't tell.

Weights may lie where no digest finds them, in a file that is read at each pass or behind another library, say. So a
run's manifest keeps confidences on the synthetic batch (`Classifier.answers`), and whoever claims to be the same
classifier has to give them again. Of thousands of classes a sample is kept: those that each image is surest of, and
some that are the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fooling.classifiers.spec import parse
from fooling.errors import InvalidError
from fooling.validation import Record

SUREST, SPREAD = 10, 22  # classes that are kept of each image
# Confidences may differ by this share of themselves, or by so much: a hundred times what other devices, batches and
# versions of torch were seen to do, and far less than other weights do.
SHARE, LEAST = 1e-3, 1e-6


class Answer(Record):
    """What a classifier says of one synthetic image: some classes, ascending, and the confidence of each."""

    classes: tuple[Annotated[int, Field(ge=0)], ...]
    confidences: tuple[Annotated[float, Field(ge=0, le=1)], ...]


class _Kept(Record):
    answers: tuple[Answer, ...]


def sampled(answers: NDArray[np.float32]) -> list[Answer]:
    """What is kept of a classifier's answers, (m, classes) float32."""
    classes = answers.shape[1]
    spread = np.linspace(0, classes - 1, min(SPREAD, classes)).astype(int)
    kept = []
    for row in answers:
        surest = np.argsort(-row, kind="stable")[:SUREST]
        chosen = np.union1d(surest, spread)
        kept.append(Answer(classes=tuple(chosen.tolist()), confidences=tuple(row[chosen].tolist())))
    return kept


def document(answers: NDArray[np.float32]) -> list[dict[str, Any]]:
    """`sampled` as JSON-like data: what a manifest holds."""
    return [answer.model_dump(mode="json") for answer in sampled(answers)]


def read(data: Any, origin: str) -> tuple[Answer, ...]:
    """The inverse of `document`.

    Args:
        origin: names the data in errors.

    Raises:
        InvalidError: it is something else.
    """
    return parse(_Kept, {"answers": data}, origin).answers


def difference(kept: Sequence[Answer], answers: NDArray[np.float32]) -> str:
    """How the answers of a classifier, (m, classes) float32, differ from what is kept of one; "" where they are
    alike."""
    for number, (answer, row) in enumerate(zip(kept, answers, strict=False)):
        if len(answer.classes) != len(answer.confidences) or max(answer.classes, default=0) >= len(row):
            return f"expected confidences of the classes of {len(row)}, found others for synthetic image {number}"
        expected, found = np.array(answer.confidences), row[list(answer.classes)].astype(np.float64)
        gap = np.abs(found - expected) - np.maximum(LEAST, SHARE * np.maximum(expected, found))
        if not (gap <= 0).all():  # NaN is no answer either
            worst = int(np.argmax(np.nan_to_num(gap, nan=np.inf)))
            return (
                f"class {answer.classes[worst]} of synthetic image {number} has the confidence {found[worst]:.6g}, "
                f"expected {expected[worst]:.6g}"
            )
    return ""


def expect(kept: Sequence[Answer], answers: NDArray[np.float32], what: str) -> None:
    """
    Args:
        what: whose answers they are, and what they should be: "X is not the classifier that Y was made with".

    Raises:
        InvalidError: they are not alike.
    """
    if found := difference(kept, answers):
        raise InvalidError(f"{what}: its weights differ, though the fingerprint is the same: {found}")
