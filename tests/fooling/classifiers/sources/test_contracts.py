"""What holds for a classifier wherever it comes from: its runs resume to the same bits, a stated confidence is
what its network says about the saved pixels, and loading it twice gives the same network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import fooling
from fooling import classifiers
from fooling.classifiers import Numerics
from fooling.classifiers.check import check
from fooling.errors import InvalidError

SMALL = (
    "search.generations=2",
    "search.population=10",
    "run.chunk=10",
    "run.batch=10",
    "run.checkpoint_seconds=0",
)


class PowerCut(Exception):
    """What ends a run that is not asked."""


def cut_at(generation: int):
    def report(view) -> None:
        if view.generation == generation:
            raise PowerCut

    return report


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_runs_resume_and_state_what_the_network_says(model, encoding, tmp_path):
    """Contracts 1 and 5: a run that was cut is the run that was not, and its PNGs get the stated confidence
    bit for bit by this software, within 2e-5 by another batch size."""
    flags = {"model": model}
    whole = fooling.run(f"imagenet-{encoding}", out=tmp_path / "whole", assignments=SMALL, flags=flags)
    with pytest.raises(PowerCut):
        fooling.run(
            f"imagenet-{encoding}", out=tmp_path / "cut", assignments=SMALL, flags=flags, report=cut_at(1)
        )
    resumed = fooling.resume(tmp_path / "cut")
    assert resumed.generation == 2
    for name in ("images", "confidence", "ids"):
        assert np.array_equal(getattr(whole, name), getattr(resumed, name)), name

    numerics = whole.spec.numerics
    classifier = classifiers.load(model, numerics=numerics)
    shown = np.flatnonzero(whole.stored_rows >= 0)[:8]
    pixels = np.stack([read(whole.directory, index) for index in shown])
    stated = whole.confidence[shown]
    assert np.array_equal(classifier.classify(pixels)[np.arange(len(shown)), shown], stated)
    elsewhere = classifiers.load(model, numerics=Numerics(batch=7, layout="nchw", threads=2))
    again = elsewhere.classify(pixels)[np.arange(len(shown)), shown]
    assert np.abs(again - stated).max() < 2e-5


def read(run: Path, index: int) -> np.ndarray:
    return np.asarray(Image.open(run / "elites" / f"{index:04}.png"))


def test_the_check_finds_nothing_wrong(model):
    """A preprocessing that is applied twice, or labels that do not fit, would be seen here."""
    report = check(classifiers.load(model))
    assert [finding.message for finding in report.failures] == []


def test_loaded_twice_it_is_the_same_network(model):
    """A fingerprint that changed would have every resume refused; torch's generator is the caller's."""
    before = torch.random.get_rng_state()
    first, second = (
        classifiers.load(model),
        classifiers.load(model, numerics=Numerics(threads=2, layout="nchw")),
    )
    assert first.fingerprint == second.fingerprint
    assert torch.equal(torch.random.get_rng_state(), before)


def test_gradients_reach_the_images_or_gradient_ascent_is_refused(model, tmp_path):
    classifier = classifiers.load(model, numerics=Numerics(batch=2))
    assert classifier.differentiable == (not model.startswith("onnx:"))
    steps = (
        "search.steps=2",
        "search.steps_per_task=2",
        "search.starts=1",
        "run.batch=2",
        "search.objective=probability",
    )
    if classifier.differentiable:
        images = torch.full((1, 3, *classifier.spec.image_shape[:2]), 0.5).requires_grad_()
        with classifier.numerics.applied():
            (gradient,) = torch.autograd.grad(classifier.confidences(images).max(), images)
        assert gradient.abs().max() > 0
    else:
        with pytest.raises(InvalidError, match="no gradients reach the images: gradient ascent unavailable"):
            fooling.run("imagenet-ascent", out=tmp_path / "run", assignments=steps, flags={"model": model})


def test_what_a_network_puts_out_can_be_said_where_its_source_assumes_a_softmax(model):
    """Taggers and detectors are fine-tuned from these networks: a softmax would make their tags shares of one."""
    if model.startswith(("clip:", "onnx:")):
        pytest.skip("it has a file that says so")
    asked = f"{model}{'&' if '?' in model else '?'}output="
    usual, independent = classifiers.load(model), classifiers.load(f"{asked}sigmoid")
    pixels = np.random.default_rng(0).integers(0, 256, (2, *usual.spec.image_shape), dtype=np.uint8)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    expected = usual.logits(images).sigmoid()
    assert np.abs(independent.classify(pixels) - expected.numpy()).max() < 1e-6
    with pytest.raises(
        InvalidError, match=r"expected output=logits or output=sigmoid .*, found output=softmax"
    ):
        classifiers.load(f"{asked}softmax")


@pytest.mark.parametrize(
    "package, spec, extra",
    [
        ("torchvision", "torchvision:alexnet", "zoo"),
        ("torchvision", "timm:resnet18", "zoo"),
        ("timm", "timm:resnet18", "zoo"),
        ("huggingface_hub", "hf:owner/name", "hf"),
        ("transformers", "hf:{folder}", "hf"),
        ("huggingface_hub", "clip:{folder}/hub.toml", "hf"),
        ("onnxruntime", "onnx:{folder}/net.onnx", "onnx"),
    ],
)
def test_a_missing_extra_is_named(package, spec, extra, tmp_path, monkeypatch):
    """Without it, a user sees a traceback from a package that they never heard of."""
    import sys

    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    (tmp_path / "hub.toml").write_text('model = "owner/name"\nprompts = ["a", "b"]\n')
    (tmp_path / "net.onnx").write_bytes(b"\x08\x09\x3a")
    (tmp_path / "net.toml").write_text('size = 8\ncolour = "rgb"\nlabels = ["a", "b"]\n')
    if package == "timm":
        pytest.importorskip("torchvision")
    monkeypatch.setitem(sys.modules, package, None)  # what makes its import fail
    with pytest.raises(
        InvalidError, match=rf"expected the package {package}, .* pip install 'fooling\[{extra}\]'"
    ):
        classifiers.load(spec.format(folder=tmp_path))
