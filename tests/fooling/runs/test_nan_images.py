"""Images that a network puts out NaN or infinity for lose, are counted and kept, and end no run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import fooling
from fooling.classifiers import Classifier, ClassifierError, Numerics, Spec
from fooling.classifiers.sources.ensemble import Ensemble
from fooling.classifiers.synthetic import synthetic
from fooling.errors import FoolingError
from fooling.present.table import headlines as lines
from fooling.runs import handle
from fooling.store.reading import open_run
from fooling.store.summary import summary

SIZE, LABELS = 8, ("bright", "grey", "dark")
SMALL = ("search.generations=40", "search.population=30", "run.chunk=10", "run.checkpoint_seconds=3600")
SEARCHES = {
    "map-elites": ("mnist-direct", SMALL),
    "cppn": ("mnist-cppn", ("encoding.size=8", *SMALL)),
    "gradient-ascent": (
        "mnist-ascent",
        ("search.starts=4", "search.steps=60", "search.steps_per_task=20", "run.chunk=5"),
    ),
    "single-class": (
        "mnist-direct-single",
        ("search.evaluations=1200", "search.population=20", "run.chunk=10"),
    ),
}
OUTPUTS = ("logits", "probabilities", "scores", "sigmoid")


def brightness(x: Tensor) -> Tensor:
    return x.flatten(1).mean(1, keepdim=True)


def broken_for(x: Tensor) -> Tensor:
    """Images on the way to "bright": not the probes of the check, nor random ones."""
    return ((brightness(x) > 0.55) & (brightness(x) < 0.9))[:, 0]


def network(output: str, value: float = float("nan")) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        bright = brightness(x)
        logits = torch.cat([20 * bright, 10 + 0 * bright, 20 - 20 * bright], 1)
        put_out = {"probabilities": logits.softmax(1), "scores": logits.sigmoid()}.get(output, logits)
        spoilt = put_out.clone()
        spoilt[:, 1] = value
        return torch.where(broken_for(x)[:, None], spoilt, put_out)

    return forward


def made(output: str = "logits", value: float = float("nan")) -> Classifier:
    spec = Spec(name="rare", size=SIZE, colour="grey", labels=LABELS, output=output)  # type: ignore[arg-type]
    return Classifier(network(output, value), spec, Numerics(batch=10))


def pair() -> Classifier:
    """An ensemble of one that breaks and one that does not."""
    sound = Classifier(
        lambda x: brightness(x) * torch.tensor([9.0, 3.0, 0.0]), made().spec, Numerics(batch=10)
    )
    ensemble = Ensemble([sound, made()], "mean")
    spec = made().spec.model_copy(update={"output": "probabilities"})
    return Classifier(ensemble, spec, Numerics(batch=10), identity=ensemble.identity)


def evolve(out: Path, search: str, classifier: Classifier, *more: str, **options: Any) -> fooling.Snapshot:
    config, settings = SEARCHES[search]
    return handle.run(
        out=out, config=config, assignments=(*settings, *more), classifier=classifier, **options
    )


@pytest.mark.parametrize("search", SEARCHES)
def test_a_run_goes_on_and_tells(search, tmp_path):
    """A failure costs the run: it would end at the first such image, after hours, and at the same one for ever."""
    said: list[str] = []
    run = evolve(tmp_path / "run", search, made(), warn=said.append)
    assert run.status == "completed"
    assert run.nan_images > 0
    assert len(said) == 1
    assert "NaN or infinity for image " in said[0]
    assert "\n" not in said[0]
    assert summary(open_run(run.directory)).nan_images == run.nan_images
    log = [json.loads(line) for line in (run.directory / "events.jsonl").read_text().splitlines()]
    assert sum(event.get("nan_images", 0) for event in log) == run.nan_images
    (told,) = [event for event in log if event["event"] == "nan"]
    assert told["image"] == "nan.png"
    assert any("nan.png" in line for line in lines(run))
    example = np.asarray(Image.open(run.directory / "nan.png"))[None, None] / np.float32(255)
    assert broken_for(torch.from_numpy(example)).all()
    elites = torch.from_numpy(run.stored_pixels.copy()).permute(0, 3, 1, 2).float() / 255
    assert not broken_for(elites).any()
    assert np.isfinite(run.confidence[run.occupied]).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_kind_of_output(output, value, tmp_path):
    """Of an image with one such number the others are worth nothing either."""
    if (output in ("logits", "sigmoid") and value == -float("inf")) or (
        output == "sigmoid" and value == float("inf")
    ):
        pytest.skip("an infinite logit is a confidence of 0 or 1")
    run = evolve(tmp_path / "run", "map-elites", made(output, value))
    assert run.status == "completed"
    assert run.nan_images > 0
    elites = torch.from_numpy(run.stored_pixels.copy()).permute(0, 3, 1, 2).float() / 255
    assert not broken_for(elites).any()


def test_a_member_of_an_ensemble(tmp_path):
    run = evolve(tmp_path / "run", "map-elites", pair())
    assert (run.status, run.nan_images > 0) == ("completed", True)


@pytest.mark.parametrize(
    "more", [("run.evaluators=1",), ("run.evaluators=3", "run.chunk=7"), ("run.chunk=30",)]
)
def test_the_count_and_the_example_do_not_depend_on_how_it_is_computed(more, tmp_path):
    """Chunks, and threads. A failure costs repeatability."""
    one = evolve(tmp_path / "one", "map-elites", made(), "run.evaluators=1")
    other = evolve(tmp_path / "other", "map-elites", made(), *more)
    assert other.archive.digest() == one.archive.digest()
    assert other.nan_images == one.nan_images
    assert (other.directory / "nan.png").read_bytes() == (one.directory / "nan.png").read_bytes()


@pytest.mark.parametrize("search", ["map-elites", "gradient-ascent"])
def test_an_interrupted_run_comes_to_the_same_end(search, tmp_path):
    """A failure costs the run: a resume would end where it did before."""

    class Stop(Exception):
        pass

    def stop(view: fooling.Snapshot) -> None:
        if view.nan_images and view.generation >= 2:
            raise Stop

    whole = evolve(tmp_path / "whole", search, made())
    with pytest.raises(Stop):
        evolve(tmp_path / "cut", search, made(), "run.checkpoint_seconds=0", report=stop)
    said: list[str] = []
    resumed = handle.resume(tmp_path / "cut", classifier=made(), warn=said.append)
    assert resumed.archive.digest() == whole.archive.digest()
    assert resumed.nan_images == whole.nan_images
    assert said == []  # it was told of already


def test_nothing_but_nan_ends_the_run_in_one_line(tmp_path):
    """There is nothing to breed from."""
    spec = Spec(name="rare", size=SIZE, colour="grey", labels=LABELS)

    probes = torch.from_numpy(synthetic(SIZE, 1)).permute(0, 3, 1, 2).float() / 255
    probes = torch.cat([probes, torch.zeros(1, 1, SIZE, SIZE), torch.ones(1, 1, SIZE, SIZE)])

    def forward(x: Tensor) -> Tensor:
        probe = ((x[:, None] - probes).abs().flatten(2).amax(2) < 1e-3).any(1, keepdim=True)
        return (brightness(x) * torch.tensor([9.0, 3.0, 0.0])).masked_fill(~probe, torch.nan)

    with pytest.raises(FoolingError, match="found NaN or infinity for all of them") as failure:
        evolve(tmp_path / "run", "map-elites", Classifier(forward, spec, Numerics(batch=10)))
    assert "\n" not in str(failure.value)


def test_elsewhere_it_is_an_error_that_says_what_it_is():
    """Of a transfer, or from Python, a number that is none must not slip through."""
    pixels = np.full((2, SIZE, SIZE, 1), 180, np.uint8)
    pixels[1] = 0
    with pytest.raises(ClassifierError, match="found NaN or infinity for 1 of 2 images"):
        made().classify(pixels)
    found = made().classify(pixels, allow_nan=True)
    assert np.isnan(found[0]).all()
    assert np.array_equal(found[1], made().classify(pixels[1:])[0])
