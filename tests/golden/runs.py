"""Short runs of the ready-made configs, whose digests are kept in digests.json.

`python -m tests.golden.runs` records them anew. Do so only where a change of results is intended, and say why in
the commit: these digests are what tells a change of the code from a change of what it computes.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

import fooling
from fooling import classifiers
from fooling.classifiers import Classifier, Spec, from_module
from fooling.classifiers.numerics import Numerics, resolve
from fooling.classifiers.synthetic import synthetic

ROOT = Path(__file__).resolve().parents[2]
DIGESTS = Path(__file__).with_name("digests.json")
SEEDS = (0, 7)
LONG = 400  # generations, so that a run can be killed within its search
NEEDS_A_SERVICE = ("clip-prompts", "http-example")
# One thread and small batches, whatever machine this is: last bits may depend on both.
_SHORT = ["run.threads=1", "run.evaluators=2", "run.batch=16", "run.chunk=16"]
_LENGTH = {
    "map-elites": ["search.population=32"],
    "gradient-ascent": ["search.steps=12", "search.starts=2"],
    "single-class": ["search.evaluations=320"],
    "breed": ["search.line=3.7x1m50_0m80_m20_1.2m50"],
}


def configs() -> list[str]:
    """The names of the ready-made configs that need nothing from outside."""
    names = sorted(path.stem for path in (ROOT / "configs").glob("*.toml"))
    return [name for name in names if name not in NEEDS_A_SERVICE]


def digests(config: str, seed: int, generations: int = 6) -> dict[str, str]:
    """The digests of a short run of a config, with the shipped LeNet where the config names it; `generations` are
    those of MAP-Elites."""
    text = (ROOT / "configs" / f"{config}.toml").read_text()
    search = next(name for name in _LENGTH if f'name = "{name}"' in text)
    assignments = [*_SHORT, *_LENGTH[search]]
    if search == "map-elites":
        assignments.append(f"search.generations={generations}")
    if search == "single-class":
        population = 8 if "cppn" in config else 3
        assignments += [f"search.population={population}"]
    own = None if 'model = "builtin:' in text else in_colours(_numerics())
    with tempfile.TemporaryDirectory() as folder:
        view = fooling.run(
            config, out=Path(folder) / "run", assignments=assignments, flags={"seed": seed}, classifier=own
        )
        from fooling.store.summary import summary

        found = summary(view).document()
    return {key: found[key] for key in ("archive_sha256", "lineage_sha256")}


def in_colours(numerics: Numerics) -> Classifier:
    """A small network of colour images, the same in every process: for configs that leave the model open."""
    generator = torch.Generator().manual_seed(11)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 12)
    ).eval()
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.4
    labels = tuple(f"class {number}" for number in range(12))
    return from_module(network, Spec(name="in-colours", size=32, colour="rgb", labels=labels), numerics)


def arithmetic() -> str:
    """A digest of what the networks of these runs answer here: processors differ in last bits, and where they do
    the recorded digests say nothing."""
    sha = hashlib.sha256()
    for classifier in (
        classifiers.load("builtin:lenet", numerics=_numerics()),
        in_colours(_numerics()),
        in_colours(_numerics()).with_input(256, "ten"),
    ):
        spec = classifier.spec
        sha.update(np.ascontiguousarray(classifier.classify(synthetic(spec.size, spec.channels))).tobytes())
    return sha.hexdigest()


def _numerics() -> Numerics:
    return resolve("cpu", batch=16, threads=1)


if __name__ == "__main__":
    found = {
        "arithmetic": arithmetic(),
        "runs": {f"{name} {seed}": digests(name, seed) for name in configs() for seed in SEEDS},
        "long": {f"mnist-cppn {seed}": digests("mnist-cppn", seed, LONG) for seed in SEEDS},
    }
    DIGESTS.write_text(json.dumps(found, indent=1) + "\n")
