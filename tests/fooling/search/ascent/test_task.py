"""The task `climb`: a pure function whose records are claims about 8-bit images (contracts 1 and 3)."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cppn.rendering.colour import to_bytes as encoded
from fooling import classifiers
from fooling.classifiers import Classifier, Numerics
from fooling.search.ascent.records import LEVELS
from fooling.search.ascent.task import Climbed, Climbs, climb, to_bytes
from tests.small_climbs import first_round, settled
from workers.host import Host
from workers.tasks import compute


def climbed(classifier: Classifier, shared: Any, climbs: Climbs) -> Climbed:
    return climb(Host(None, classifier), shared, climbs)


def assert_same(a: Climbed, b: Climbed) -> None:
    assert np.array_equal(a.images, b.images)
    for name, array in a.records.arrays().items():
        assert np.array_equal(array, b.records.arrays()[name]), name
    assert np.array_equal(a.escaped, b.escaped)
    assert np.array_equal(a.still, b.still)
    assert (a.moments is None) == (b.moments is None)
    if a.moments is not None and b.moments is not None:
        assert np.array_equal(a.moments, b.moments)


def joined(parts: list[Climbed]) -> Climbed:
    from fooling.search.ascent.task import _joined

    return _joined(parts)


EVERYTHING = {
    "decay": 0.01,
    "blur_radius": 0.5,
    "small_norm": 10.0,
    "small_contribution": 10.0,
    "total_variation": 0.001,
    "jitter": 2,
}


def test_bytes_are_those_of_the_direct_encoding() -> None:
    """Else the archive's genotype would render to other pixels than were classified."""
    values = torch.rand((4, 16, 16, 3), generator=torch.Generator().manual_seed(0))
    edges = torch.arange(0, 256 * 3).float().view(1, 16, 16, 3) / (256 * 3 - 1)
    halves = (torch.arange(256 * 3).float().view(1, 16, 16, 3) % 255 + 0.5) / 255
    for images in (values, edges, halves.clamp(0, 1)):
        assert np.array_equal(to_bytes(images).numpy(), encoded(images.numpy(), "rgb", "rounded", 3))
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(pixels / 255), pixels), "an 8-bit image stands for itself"


@pytest.mark.parametrize("rule", ["progress", "constant", "adam"])
@pytest.mark.parametrize("extra", [{}, EVERYTHING], ids=["plain", "regularised"])
def test_no_result_depends_on_the_chunks(rule: str, extra: dict[str, Any], wrap: Any) -> None:
    """Else the number of workers would change the archive (contract 5)."""
    settings = settled(steps=6, starts=2, rule=rule, rate=0.5, **extra)
    classifier = wrap(batch=4)
    shared, climbs = first_round(classifier, settings)
    whole = climbed(classifier, shared, climbs)
    for size in (1, 3, 7):
        cuts = [climbs[start : start + size] for start in range(0, 10, size)]
        assert_same(joined([climbed(classifier, shared, cut) for cut in cuts]), whole)


@pytest.mark.parametrize("rule", ["progress", "adam"])
def test_two_rounds_are_one(rule: str, wrap: Any) -> None:
    """A round's end must leave no trace: it is where a run is resumed."""
    settings = settled(steps=9, rule=rule, jitter=1, decay=0.01, blur_radius=0.4, blur_every=2)
    classifier = wrap()
    shared, climbs = first_round(classifier, settings)
    whole = climbed(classifier, shared, climbs)
    first = climbed(classifier, replace(shared, last=3), climbs)
    between = replace(climbs, images=first.images, moments=first.moments, best=first.records.best_confidence)
    second = climbed(classifier, replace(shared, first=4), between)
    assert np.array_equal(second.images, whole.images)
    first.records.extend(slice(None), second.records)
    for name, array in whole.records.arrays().items():
        assert np.array_equal(first.records.arrays()[name], array), name


def test_inputs_are_only_read(wrap: Any) -> None:
    """Through Ray they arrive read-only, and a chunk that is computed again has to be what it was."""
    classifier, settings = wrap(), settled(steps=4, rule="adam")
    shared, climbs = first_round(classifier, settings, last=2)
    first = climbed(classifier, shared, climbs)
    assert first.moments is not None
    for array in (first.images, first.moments, climbs.targets, climbs.best):
        array.flags.writeable = False
    again = replace(climbs, images=first.images, moments=first.moments)
    later = replace(shared, first=3, last=4)
    assert_same(climbed(classifier, later, again), climbed(classifier, later, again))


def test_in_another_process(tmp_path: Path) -> None:
    """By its name alone, from pickles, as an executor elsewhere does, whose host's module imports the tasks."""
    classifier = classifiers.load("builtin:lenet", numerics=Numerics(batch=5))
    settings = settled(steps=3, classes=(1, 4))
    shared, climbs = first_round(classifier, settings)
    (tmp_path / "work").write_bytes(pickle.dumps((shared, climbs)))
    script = """
import pickle, sys
from fooling import classifiers
from tests.small_climbs import first_round, settled
import fooling.search.tasks
from workers.host import Host
from workers.tasks import compute

shared, climbs = pickle.load(open(sys.argv[1], "rb"))
classifier = classifiers.load("builtin:lenet", numerics=classifiers.Numerics(batch=5))
pickle.dump(compute(Host(None, classifier), "climb", shared, climbs), open(sys.argv[1], "wb"))
"""
    subprocess.run([sys.executable, "-c", script, tmp_path / "work"], check=True)
    here = compute(Host(None, classifier), "climb", shared, climbs)
    assert_same(pickle.loads((tmp_path / "work").read_bytes()), here)


def networks(assets: Path) -> dict[str, Classifier]:
    from benchmarks.zoo import authors_lenet, network

    return {
        "the authors' LeNet": authors_lenet().with_numerics(Numerics(batch=10)),
        "mobilenet": network("mobilenet_v1_025_128").with_numerics(Numerics(batch=6)),
        "mobilenet, ten crops": network("mobilenet_v1_025_128").with_input(144, "ten").with_numerics(Numerics(batch=20)),
        "squeezenet": network("squeezenet_v11").with_numerics(Numerics(batch=2)),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["the authors' LeNet", "mobilenet", "mobilenet, ten crops", "squeezenet"])
def test_a_pass_with_gradients_gives_the_bits_of_classify(name: str, assets: Path) -> None:
    """The record would state confidences that do not come out again (contract 1)."""
    classifier = networks(assets)[name]
    shape = (classifier.images_per_pass, *classifier.spec.image_shape)
    for seed in range(3):
        pixels = torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))
        confidences, gradients = classifier.gradients(pixels, torch.ones_like)
        assert np.array_equal(confidences.numpy(), classifier.classify(pixels.numpy()))
        assert gradients.shape == pixels.shape


def test_the_record_is_what_classify_says(wrap: Any) -> None:
    """Followed step by step: milestones, best step, best confidence, best pixels."""
    classifier = wrap(batch=10)
    with torch.no_grad():
        classifier.network.head.weight.mul_(2)
    settings = settled(steps=30, objective="logit", rule="constant", rate=0.2)
    shared, climbs = first_round(classifier, settings)
    seen: list[np.ndarray] = []
    original = classifier.gradients

    def watched(pixels: Tensor, seed: Any, **options: Any) -> Any:
        seen.append(pixels[: len(climbs.keys)].numpy().copy())
        return original(pixels, seed, **options)

    classifier.gradients = watched  # type: ignore[method-assign]
    records = climbed(classifier, shared, climbs).records
    seen.append(records.best_pixels)  # the last image is asked of classify; here it is not followed
    assert len(seen) == 31
    history = np.stack([classifier.classify(pixels) for pixels in seen[:-1]])
    own = history[:, np.arange(5), climbs.targets]
    assert (own.max(0) >= 0.99).any(), "without a milestone this says nothing"
    for row in range(5):
        passed = [
            history[:, row].argmax(1) == climbs.targets[row],
            *(own[:, row] >= np.float32(x) for x in LEVELS),
        ]
        for found, steps in zip(records.first[row], passed, strict=True):
            first = int(np.argmax(steps)) if steps.any() else None
            assert found == (first if first is not None else found) or found == 30
            assert first is not None or found in (-1, 30)
        step = int(records.best_step[row])
        if step < 30:
            assert step == int(own[:, row].argmax())
            assert np.array_equal(records.best_pixels[row], seen[step][row])
        again = classifier.classify(records.best_pixels)[row, climbs.targets[row]]
        assert records.best_confidence[row] == again


def test_what_is_kept_is_confirmed_by_classify(wrap: Any) -> None:
    """Where a pass with gradients takes other operations (CUDA, fused attention), only `classify` counts."""
    classifier, settings = wrap(batch=5), settled(steps=3)
    shared, climbs = first_round(classifier, settings)
    original = classifier.gradients

    def off_by_a_little(pixels: Tensor, seed: Any, **options: Any) -> Any:
        confidences, gradients = original(pixels, seed, **options)
        return confidences + 1e-4, gradients

    classifier.gradients = off_by_a_little  # type: ignore[method-assign]
    result = climbed(classifier, shared, climbs)
    again = classifier.classify(result.records.best_pixels)[np.arange(5), climbs.targets]
    assert np.array_equal(result.records.best_confidence, again)
    assert result.confirmed == 5
    known = replace(climbs, best=np.full(5, 2, np.float32))
    assert climbed(classifier, shared, known).confirmed == 0, "what beats nothing needs no second look"


def test_with_jitter_the_shifted_image_is_what_is_kept(wrap: Any) -> None:
    classifier, settings = wrap(batch=5), settled(steps=5, jitter=3)
    shared, climbs = first_round(classifier, settings)
    records = climbed(classifier, shared, climbs).records
    again = classifier.classify(records.best_pixels)[np.arange(5), climbs.targets]
    assert np.array_equal(records.best_confidence, again)


@pytest.mark.parametrize("rule", ["progress", "constant"])
def test_a_saturated_softmax_is_escaped(rule: str, wrap: Any) -> None:
    """The authors' code gave up ("Grad 0, failed"). Every class is reached from where it had probability 0."""
    classifier = wrap(batch=5)
    with torch.no_grad():
        classifier.network.head.weight.mul_(300)
        classifier.network.head.bias.mul_(300)
    settings = settled(steps=200, rule=rule, rate=0.02, start="uniform", longest=0.02)
    shared, climbs = first_round(classifier, settings)
    start = climbed(classifier, replace(shared, last=0), climbs)
    assert (start.records.best_confidence == 0).sum() >= 3
    result = climbed(classifier, shared, climbs)
    assert result.escaped.sum() > 0
    assert (result.escaped[start.records.best_confidence > 0.5] == 0).all()
    assert (result.records.best_confidence[result.still == 1] > 0.9999).all()
    assert (result.records.first[:, 0] >= 0).mean() >= 0.8


def test_what_can_t_be_escaped_is_reported(wrap: Any) -> None:
    """Probabilities whose softmax is saturated have no slope, and no logits to climb instead."""
    classifier = wrap("probabilities", batch=5)
    with torch.no_grad():
        classifier.network.head.weight.mul_(1e5)
        classifier.network.head.bias.mul_(1e5)
    for objective in ("probability", "log-probability"):
        for rule in ("progress", "constant", "adam"):
            settings = settled(steps=10, objective=objective, rule=rule)
            shared, climbs = first_round(classifier, settings)
            result = climbed(classifier, shared, climbs)
            assert np.isfinite(result.images).all()
            hopeless = result.records.best_confidence < 0.5
            assert hopeless.sum() >= 4
            assert result.still[hopeless].all()
