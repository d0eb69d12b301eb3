"""Classifiers of images that are no squares, down to one pixel: searched by every search, resumed, read again and
shown to others. A failure costs users whose cameras are not square their runs, or shows them images on their side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import fooling
from fooling.sizes import Size, sides
from fooling.store.reading import open_run
from fooling.store.snapshot import renderer
from fooling.store.summary import summary
from fooling.studies.protocol import Resources
from fooling.studies.transfer.measure import measure, source_of

SEARCHES = {
    "map-elites, cppn": ("mnist-cppn", "search.generations=4", "search.population=20"),
    "map-elites, direct": ("mnist-direct", "search.generations=4", "search.population=20"),
    "map-elites, sbx": (
        "mnist-direct", "search.generations=4", "search.population=20", "encoding.crossover=sbx",
    ),
    "gradient-ascent": (
        "mnist-ascent", "search.steps=40", "search.starts=2", "search.steps_per_task=10", "search.blur_radius=1.0",
        "search.jitter=2", "search.total_variation=0.001",
    ),
    "single-class, cppn": ("mnist-cppn-single", "search.evaluations=60", "search.population=4"),
    "single-class, direct": ("mnist-direct-single", "search.evaluations=60", "search.population=4"),
}  # fmt: skip
SIZES = [(6, 15), (15, 6), 1, (1, 7)]
NETWORK = """
import torch
from torch import nn
from fooling.classifiers import Spec

class Net(nn.Module):
    def __init__(self, channels, height, width):
        super().__init__()
        self.head = nn.Linear(channels * height * width, 3)
        self.shape = (channels, height, width)

    def forward(self, x):
        assert x.shape[1:] == self.shape, x.shape
        return self.head(x.flatten(1))

def build():
    torch.manual_seed(2)
    network = Net(3, {height}, {width}).eval()
    return network, Spec(name="net", size={size}, colour="rgb", labels=("a", "b", "c"))
"""


class Killed(BaseException):
    """Stands in for a SIGKILL: nothing handles it."""


def model(folder: Path, size: Size) -> str:
    """A model SPEC of a classifier of such images; its network takes no others."""
    name = "net_" + "_".join(map(str, sides(size)))
    height, width = sides(size)
    (folder / f"{name}.py").write_text(NETWORK.format(height=height, width=width, size=size))
    return f"python:{name}:build"


def evolve(folder: Path, name: str, spec: str, search: str = "map-elites, cppn", **options: Any) -> Any:
    config, *assignments = SEARCHES[search]
    assignments.append("run.checkpoint_seconds=0")
    flags = {"model": spec}
    return fooling.run(config, out=folder / name, assignments=assignments, flags=flags, trust=True, **options)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("search", SEARCHES)
def test_every_search_makes_images_of_that_shape_and_resumes(search: str, size: Size, folder: Path) -> None:
    spec = model(folder, size)
    whole = evolve(folder, "whole", spec, search)
    height, width = sides(size)
    assert whole.images[0].shape == (height, width, 3)
    with Image.open(whole.directory / "elites" / "0002.png") as image:
        assert image.size == (width, height)
        classifier = fooling.classifiers.load(spec, trust=True)
        stated = classifier.classify(np.asarray(image)[None])[0, 2]
    assert stated == pytest.approx(float(whole.confidence[2]), abs=1e-6)

    def kill(view: fooling.Snapshot) -> None:
        if view.counters.generation >= 2:
            raise Killed

    with pytest.raises(Killed):
        evolve(folder, "cut", spec, search, report=kill)
    assert open_run(folder / "cut").status == "interrupted"
    resumed = fooling.resume(folder / "cut", trust=True)
    for key in ("archive_sha256", "lineage_sha256", "evaluations"):
        assert getattr(summary(resumed), key) == getattr(summary(whole), key)
    again = open_run(folder / "cut")
    assert again.archive.digest() == whole.archive.digest()


def test_a_square_is_the_same_run_however_it_is_written(folder: Path) -> None:
    """A failure costs the digests and the manifests of runs that there are."""
    found = {}
    sizes: tuple[Any, Any] = (6, [6, 6])
    for number, size in enumerate(sizes):
        spec = fooling.classifiers.Spec(name="n", size=size, colour="grey", labels=("a", "b"))
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 2)).eval()
        run = evolve(
            folder, str(number), "builtin:lenet", classifier=fooling.classifiers.from_module(network, spec)
        )
        manifest = json.loads((run.directory / "manifest.json").read_text())
        assert manifest["config"]["encoding"]["size"] == manifest["classifier"]["spec"]["size"] == 6
        found[number] = (summary(run).archive_sha256, manifest["classifier"]["fingerprint"])
    assert found[0] == found[1]


def test_images_of_another_shape_are_stretched_to_the_classifier_s(folder: Path) -> None:
    """`encoding.size` may differ from the spec in its aspect ratio too, as a square image shown to a camera."""
    classifier = fooling.classifiers.load(model(folder, (6, 15)), trust=True)
    run = fooling.run(
        "mnist-direct", out=folder / "run", classifier=classifier,
        assignments=["search.generations=2", "search.population=9", "encoding.size=[8, 8]"],
    )  # fmt: skip
    assert run.images.shape[1:] == (8, 8, 3)
    image = torch.from_numpy(run.images[1]).permute(2, 0, 1)[None].float() / 255
    small = torch.nn.functional.interpolate(image, (6, 15), mode="bilinear", antialias=True)
    assert float(classifier.confidences(small)[0, 1]) == pytest.approx(float(run.confidence[1]), abs=1e-6)
    assert fooling.resume(folder / "run", classifier=classifier).archive.digest() == run.archive.digest()


@pytest.mark.parametrize("rerender", [False, True])
def test_elites_are_shown_to_classifiers_of_another_shape(folder: Path, rerender: bool) -> None:
    """What transfer says it does: the pixels stretched, or the CPPN drawn anew in the other shape."""
    run = evolve(folder, "run", model(folder, (6, 15)))
    other = model(folder, (15, 6))
    [cell] = measure([source_of(run)], other, rerender=rerender, resources=Resources(trust=True))
    if rerender:
        draw = renderer(run)
        assert draw is not None
        pixels = draw((15, 6))[run.stored_rows]
        assert pixels.shape == (3, 15, 6, 3)
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    else:
        images = torch.from_numpy(run.images).permute(0, 3, 1, 2).float() / 255
        images = torch.nn.functional.interpolate(images, (15, 6), mode="bilinear", antialias=True)
    expected = fooling.classifiers.load(other, trust=True).confidences(images).numpy()
    assert np.allclose(cell.confidence, np.diag(expected), atol=1e-6)


@pytest.mark.slow
def test_ray_s_workers_make_the_same_images(folder: Path, environment: dict[str, str], fooling: Any) -> None:
    found: list[dict[str, Any]] = []
    for workers in ([], ["--workers", 2]):
        command = [
            "run",
            "mnist-cppn",
            "--model",
            model(folder, (6, 15)),
            "--trust",
            "--json",
            "--quiet",
            *workers,
        ]
        settings = ["--set", "search.generations=3", "--set", "search.population=20", "--set", "run.chunk=10"]
        done = fooling(*command, *settings, "--out", folder / f"run{len(found)}", cwd=folder)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout)["archive_sha256"])
    assert found[0] == found[1]
