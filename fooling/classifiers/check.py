"""Catch a broken classifier before a run: a handful of forward passes, and a finding for each way in which
users' networks were seen to be broken.

The list is AutoAttack's flags (Croce 2020, `checks.py`: softmax passed off as logits, training mode, random
outputs, zero gradient) and what users of the paper's code tripped over: weights that were silently not
loaded, so that every label got 0.10.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.factory import expect_classifier
from fooling.classifiers.outputs import as_confidences
from fooling.classifiers.spec import LOGITS
from fooling.classifiers.synthetic import synthetic
from fooling.datasets.samples import Samples
from fooling.errors import InvalidError

Status = Literal["ok", "warning", "failed"]

# Confidences of one image may differ by this much with other images in the batch, or on other hardware.
_ARITHMETIC = 1e-4
# The first probe image in several rows, of which no two leave the same rest in small batches, and others in rows that
# are not their own.
_MIXED = [9, 0, 0, 8, 7, 0, 6, 0, 5, 0]
# How far a network's own probabilities may be from summing to one: float16 over 1,000 classes.
_SUM = 2e-3


@dataclass(frozen=True)
class Finding:
    """One check.

    Attributes:
        name: of the check.
        status: "ok", "warning" (a run will work) or "failed".
        message: one line.
        value: the number that was measured, where there is one.
    """

    name: str
    status: Status
    message: str
    value: float | None = None


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        classifier: its name.
        findings: in the order of the checks; after a network that does not run at all, nothing follows.
    """

    classifier: str
    findings: tuple[Finding, ...]

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that failed."""
        return tuple(finding for finding in self.findings if finding.status == "failed")

    def raise_for_failures(self) -> None:
        """
        Raises:
            InvalidError: something failed; the line says what, and how much else.
        """
        if not (failures := self.failures):
            return
        more = f" (and {len(failures) - 1} more: fooling models check)" if len(failures) > 1 else ""
        raise InvalidError(f"{self.classifier} failed its check: {failures[0].message}{more}")


def check(classifier: Classifier, samples: Samples | None = None) -> Report:
    """Look for what is wrong with a classifier.

    Args:
        samples: labelled images in its image space (`fooling.classifiers.samples.read`).

    Raises:
        InvalidError: it is no classifier, but a network without a spec, say.
    """
    expect_classifier(classifier)
    return Report(classifier.spec.name, tuple(_findings(classifier, samples)))


def _findings(classifier: Classifier, samples: Samples | None) -> Iterator[Finding]:
    probe = Probe(classifier)
    if (repeated := _labels(probe)) is not None:
        yield repeated
    yield _mode(probe)
    runs = _runs(probe)
    yield runs
    if runs.status == "failed":
        return
    finite = _finite(probe)
    yield finite
    if finite.status == "failed":
        return
    kind = _kind(probe)
    yield kind
    if kind.status == "failed":
        return
    for examine in (_varied, _decided, _repeatable, _alone, _gradient, _expected):
        if (finding := examine(probe)) is not None:
            yield finding
    if samples is not None:
        yield from _samples(samples)
        yield _accuracy(classifier, samples)


class Probe:
    """A classifier and what it puts out for the probe images: the synthetic batch, black and white."""

    def __init__(self, classifier: Classifier) -> None:
        self.spec = classifier.spec
        mosaics = synthetic(self.spec.size, self.spec.channels)
        flat = [np.full_like(mosaics[:1], value) for value in (0, 255)]
        self.names = [
            *(f"synthetic image {i}" for i in range(len(mosaics))),
            "a black image",
            "a white image",
        ]
        pixels = np.concatenate([mosaics, *flat])
        self.images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255.0)
        # A physical batch that the probe images fill: it would cost five times as much with the usual one.
        rows = min(classifier.numerics.batch, len(pixels) * self.spec.views)
        # And not compiled: that would be minutes, for programs of batches that no run has.
        self.classifier = classifier.with_numerics(replace(classifier.numerics, batch=rows, compiled=False))
        self.outputs = torch.empty(0)

    def confidences(self, outputs: Tensor) -> Tensor:
        """What outputs mean (for ten crops, nearly: these are means over the crops)."""
        return as_confidences(outputs, self.spec.output)


def _labels(probe: Probe) -> Finding | None:
    """Classes of one name can't be told apart in any report, and transfer can't tell which is meant; unless their
    WordNet ids do, as those of ImageNet's two cranes."""
    classes: dict[tuple[str, str], list[int]] = {}
    ids = probe.spec.wordnet or ("",) * len(probe.spec.labels)
    for index, (label, wordnet) in enumerate(zip(probe.spec.labels, ids, strict=True)):
        name = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
        classes.setdefault((name, wordnet), []).append(index)
    if not (repeated := [same for same in classes.values() if len(same) > 1]):
        return None
    first, more = repeated[0], len(repeated) - 1
    named = " and ".join(f"{index} {probe.spec.labels[index]!r:.60}" for index in first[:2])
    return Finding(
        "labels",
        "warning",
        f"classes with the same label: {named}{f', and of {more} more names' if more else ''}: "
        "is one of them misspelt?",
    )


def _mode(probe: Probe) -> Finding:
    network = probe.classifier.network
    if isinstance(network, nn.Module) and any(part.training for part in network.modules()):
        return Finding("mode", "failed", "expected a network in eval mode, found training mode: call .eval()")
    return Finding("mode", "ok", "not in training mode")


def _runs(probe: Probe) -> Finding:
    """It takes the images it says, one at a time and many, and puts out a number per label."""
    one = replace(probe.classifier.numerics, batch=1)
    try:
        probe.outputs = probe.classifier.outputs(probe.images)
        probe.classifier.with_numerics(one).outputs(probe.images[:1])
    except InvalidError as error:
        return Finding("output", "failed", str(error).removeprefix(f"{probe.spec.name}: "))
    return Finding("output", "ok", f"{len(probe.spec.labels)} outputs, one per label")


def _finite(probe: Probe) -> Finding:
    for name, row in zip(probe.names, probe.outputs, strict=True):
        if not torch.isfinite(row).all():
            bad = int((~torch.isfinite(row)).sum())
            return Finding(
                "finite", "failed", f"expected finite outputs, found {bad} NaN or infinite ones for {name}"
            )
    return Finding("finite", "ok", "finite outputs, also for black and white images")


def _kind(probe: Probe) -> Finding:
    """The outputs are of the kind that the spec says."""
    outputs, kind = probe.outputs, probe.spec.output
    low, high = outputs.min().item(), outputs.max().item()
    inside = low >= -_ARITHMETIC and high <= 1.0 + _ARITHMETIC
    gap = (outputs.sum(1) - 1.0).abs().max().item()
    if kind in LOGITS:
        if inside and gap <= _SUM and kind == "logits":
            return Finding(
                "kind",
                "failed",
                'expected logits, found outputs that are probabilities already: say output = "probabilities"',
            )
        if inside:
            message = (
                f"all outputs lie in [0, 1], from {low:.4g} to {high:.4g}: have they been through a sigmoid? "
                'Then say output = "scores"'
            )
            return Finding("kind", "warning", message)
        return Finding("kind", "ok", f"logits from {low:.4g} to {high:.4g}")
    if not inside:
        return Finding(
            "kind",
            "failed",
            f'expected {kind} in [0, 1], found outputs from {low:.4g} to {high:.4g}: are they "logits"? '
            'Or "sigmoid", logits of classes that do not exclude each other?',
        )
    if kind == "probabilities" and gap > _SUM:
        return Finding(
            "kind",
            "failed",
            f'expected probabilities that sum to 1, found a sum that is {gap:.4g} off: are they "scores"?',
            gap,
        )
    return Finding("kind", "ok", f"{kind} in [0, 1]")


def _varied(probe: Probe) -> Finding:
    """Different images get different outputs."""
    spread = (probe.outputs.amax(0) - probe.outputs.amin(0)).max().item()
    if spread <= 1e-6 * max(1.0, probe.outputs.abs().max().item()):
        return Finding(
            "varied",
            "failed",
            f"expected outputs that differ between images, found the same for all {len(probe.images)}: "
            "is the input used, and are the weights loaded?",
            spread,
        )
    return Finding("varied", "ok", "outputs differ between images", spread)


def _decided(probe: Probe) -> Finding | None:
    """A trained network is not near chance on everything; one whose weights were not loaded is."""
    classes = len(probe.spec.labels)
    if probe.spec.output in ("sigmoid", "scores") or classes < 3:
        return None
    top = probe.confidences(probe.outputs).max().item()
    if top < 2.0 / classes:
        message = f"no probe image is named with more than {top:.3g} (chance: {1 / classes:.3g}): "
        return Finding("decided", "warning", message + "are the weights loaded?", top)
    return Finding("decided", "ok", f"the most confident answer to a probe image is {top:.3g}", top)


def _repeatable(probe: Probe) -> Finding:
    """The same images get the same outputs."""
    again = probe.confidences(probe.classifier.outputs(probe.images))
    gap = _gap(again, probe.confidences(probe.outputs))
    if gap > _ARITHMETIC:
        return Finding(
            "repeatable",
            "failed",
            f"expected the same outputs for the same images, found a difference of {gap:.3g}: "
            "is there dropout or noise in it?",
            gap,
        )
    if gap > 0:
        message = f"the same images get confidences that differ by up to {gap:.3g}: runs will not repeat"
        return Finding("repeatable", "warning", message, gap)
    return Finding("repeatable", "ok", "the same images get the same bits", gap)


def _alone(probe: Probe) -> Finding:
    """An image's outputs depend neither on the rest of the batch nor on its row: asked alone, and in several rows
    with others around it."""
    gap = 0.0
    for rows in ([0], _MIXED):
        gap = max(gap, _moved(probe, probe.classifier.outputs(probe.images[rows]), probe.outputs[rows]))
        if gap > _ARITHMETIC:
            break
    if gap > _ARITHMETIC:
        return Finding(
            "alone",
            "failed",
            "expected an image's outputs to depend neither on its batch nor on its row there, found a difference of "
            f"{gap:.3g}: is there noise for each row, or batch normalisation in training mode?",
            gap,
        )
    return Finding("alone", "ok", "an image's outputs do not depend on its batch, nor on its row", gap)


def _gradient(probe: Probe) -> Finding:
    if not probe.classifier.differentiable:
        return Finding("gradient", "ok", "not differentiable: gradient ascent unavailable")
    images = probe.images.clone().requires_grad_()
    with probe.classifier.numerics.applied():  # backwards too: threads beyond the run's wait for busy cores
        outputs = probe.classifier.outputs(images)
        (gradient,) = torch.autograd.grad(outputs.amax(1).sum(), images)
    size = gradient.abs().max().item()
    if not math.isfinite(size):
        return Finding("gradient", "warning", "NaN or infinite gradients: gradient ascent will fail", size)
    if size == 0.0:
        return Finding("gradient", "warning", "zero gradient: gradient ascent will not move", size)
    return Finding("gradient", "ok", f"gradients reach the images (up to {size:.3g})", size)


def _expected(probe: Probe) -> Finding | None:
    """The network says what it is known to say."""
    expected = probe.classifier.expected
    if expected is None:
        return None
    pixels = synthetic(probe.spec.size, probe.spec.channels, len(expected))
    gap = float(np.abs(probe.classifier.classify(pixels) - expected).max())
    if gap > _ARITHMETIC:
        return Finding(
            "expected",
            "failed",
            f"expected the confidences kept with the weights, found a difference of {gap:.3g}: "
            "these are not the weights, or not the preprocessing, of the spec",
            gap,
        )
    return Finding("expected", "ok", f"says what is kept with its weights, within {gap:.1g}", gap)


def _samples(samples: Samples) -> Iterator[Finding]:
    """What the labelled images were taken for, and what looks wrong about them."""
    if samples.form:
        yield Finding("samples", "ok", f"{len(samples)} images: {samples.form}", len(samples))
    for doubt in samples.doubts:
        yield Finding("samples", "warning", doubt)


def _accuracy(classifier: Classifier, samples: Samples) -> Finding:
    """Labelled images are named as well as expected, allowing three standard errors."""
    n, classes = len(samples), len(classifier.labels)
    if classes == 1:
        return Finding("accuracy", "warning", "samples can't be named wrong: there is one class")
    order = np.argsort(-classifier.classify(samples.images), axis=1, kind="stable")
    accuracy = float((order[:, 0] == samples.labels).mean())
    top5 = float((order[:, :5] == samples.labels[:, None]).any(1).mean())
    found = f"top-1 {accuracy:.2%}, top-5 {top5:.2%} of {n} samples"
    expected = classifier.spec.accuracy
    if expected is not None and accuracy < expected - _three_errors(expected, n):
        message = f"expected an accuracy of {expected:.2%}, found {found}: is the preprocessing right?"
        return Finding("accuracy", "failed", message, accuracy)
    if accuracy <= 1 / classes + _three_errors(1 / classes, n):
        message = f"{found}: not above chance: are weights, labels and their order, and preprocessing right?"
        return Finding("accuracy", "failed" if n >= 20 else "warning", message, accuracy)
    stated = "" if expected is None else f" (expected {expected:.2%})"
    return Finding("accuracy", "ok", found + stated, accuracy)


def _three_errors(rate: float, n: int) -> float:
    return 3.0 * math.sqrt(rate * (1.0 - rate) / n)


def _moved(probe: Probe, outputs: Tensor, expected: Tensor) -> float:
    """By how much confidences differ, or logits, as a share of the largest: a confidence near 0 or 1 hides them."""
    gap = _gap(probe.confidences(outputs), probe.confidences(expected))
    if probe.spec.output == "logits":
        gap = max(gap, _gap(outputs, expected) / max(1.0, expected.abs().max().item()))
    return gap


def _gap(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().max().item()
