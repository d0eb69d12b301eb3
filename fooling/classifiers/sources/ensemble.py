"""Several classifiers as one: the mean of their confidences (Nguyen 2015, supplement B), or the smallest,
so that an image must convince them all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.preprocessing import resized
from fooling.classifiers.spec import Resize, Spec
from fooling.errors import InvalidError
from fooling.sizes import sides, to_text

Combination = Literal["mean", "minimum"]


class Ensemble:
    """(rows, channels, height, width) in [0, 1] to (rows, classes): the members' confidences, combined."""

    def __init__(self, members: Sequence[Classifier], combination: Combination) -> None:
        self.members = tuple(members)
        self.combination = combination

    def __call__(self, images: Tensor) -> Tensor:
        """Ask every member; one of another size sees the image resized (bilinear, antialiased), and so
        stretched where its aspect ratio differs."""
        recorded = images.requires_grad and torch.is_grad_enabled()
        if recorded and not all(member.differentiable for member in self.members):
            return torch.zeros(len(images), len(self.members[0].labels))  # from which no gradients lead back
        answers = torch.stack(
            [
                member.confidences(resized(images, Resize(size=member.spec.size)), allow_nan=True)
                for member in self.members
            ]
        )
        return self.combined(answers)

    def combined(self, answers: Tensor) -> Tensor:
        """(members, rows, classes) to (rows, classes)."""
        return answers.mean(0) if self.combination == "mean" else answers.amin(0)

    def only(self, member: int) -> Ensemble:
        """The ensemble of one of the members."""
        return Ensemble([self.members[member]], self.combination)

    def with_numerics(self, numerics: Numerics) -> Ensemble:
        """The same ensemble, its members under other numerics."""
        return Ensemble([member.with_numerics(numerics) for member in self.members], self.combination)

    @property
    def identity(self) -> str:
        """What tells this ensemble from others, for its fingerprint."""
        parts = [self.combination, *(member.fingerprint for member in self.members)]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def described(members: Sequence[Classifier], combination: Combination, named: set[str]) -> dict[str, object]:
    """What a spec of the ensemble says where its author says nothing: the largest member's size, the first
    one's colour, labels, WordNet ids and groups.

    Args:
        named: keys that the author gives.

    Raises:
        InvalidError: members of different colour or numbers of classes; or of different labels or aspect
            ratios, where the author gives no labels or size.
    """
    first = members[0].spec
    for member in members[1:]:
        spec = member.spec
        if spec.colour != first.colour:
            raise InvalidError(
                f"ensemble: expected members of one colour, found {first.name} {first.colour}, "
                f"{spec.name} {spec.colour}"
            )
        if len(spec.labels) != len(first.labels):
            raise InvalidError(
                f"ensemble: expected members of the same classes, found {len(first.labels)} in {first.name}, "
                f"{len(spec.labels)} in {spec.name}"
            )
        if spec.labels != first.labels and "labels" not in named:
            raise InvalidError(
                "ensemble: expected members with the same labels in the same order, found "
                f"{_difference(first, spec)}; if they mean the same, give the ensemble labels of its own"
            )
        if spec.height * first.width != spec.width * first.height and "size" not in named:
            raise InvalidError(
                f"ensemble: expected members of one aspect ratio, found {to_text(first.size)} in {first.name}, "
                f"{to_text(spec.size)} in {spec.name}; give the ensemble a size of its own, from which their "
                "images are stretched"
            )
    return {
        "size": max((member.spec.size for member in members), key=sides),
        "colour": first.colour,
        # The mean of probabilities sums to 1; the smallest does not.
        "output": "probabilities" if _sums_to_one(members, combination) else "scores",
        "labels": first.labels,
        "wordnet": first.wordnet,
        "groups": first.groups,
    }


def _sums_to_one(members: Sequence[Classifier], combination: Combination) -> bool:
    return combination == "mean" and all(
        member.spec.output in ("logits", "probabilities") for member in members
    )


def _difference(first: Spec, other: Spec) -> str:
    index, pair = next(
        (i, p) for i, p in enumerate(zip(first.labels, other.labels, strict=True)) if p[0] != p[1]
    )
    return f"class {index} {pair[0]!r} in {first.name}, {pair[1]!r} in {other.name}"
