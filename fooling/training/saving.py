"""What training writes: the weights as safetensors, and beside them a file spec that names them and says how
they came about. `file:NAME.json` loads it; the networks of the package are kept in the same form."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from fooling.classifiers.features import expect_module
from fooling.classifiers.synthetic import synthetic
from fooling.errors import naming_write_errors
from fooling.files import json_bytes, refuse_existing, replacing
from fooling.training.train import Trained
from fooling.version import __version__


def save(
    trained: Trained, folder: str | Path, *, licence: str | None = None, source: str | None = None
) -> Path:
    """Write NAME.safetensors and NAME.json, NAME being the spec's.

    Returns:
        The path of the latter: `load(f"file:{path}")` opens the network.

    Raises:
        FoolingError: one of the files is there already, or cannot be written.
    """
    weights, description = refuse_taken(folder, trained.classifier.spec.name)
    tensors = _tensors(trained)
    text = json_bytes(_describe(trained, weights.name, tensors, licence, source))
    with naming_write_errors(weights.parent):
        weights.parent.mkdir(parents=True, exist_ok=True)
        for path, content in ((weights, tensors), (description, text)):
            with replacing(path, durable=True) as file:
                file.write(content)
    return description


def refuse_taken(folder: str | Path, name: str) -> tuple[Path, Path]:
    """The two files that `save` writes for a network of this name.

    Raises:
        FoolingError: one of them is there already.
    """
    paths = (Path(folder) / f"{name}.safetensors", Path(folder) / f"{name}.json")
    for path in paths:
        refuse_existing(path)
    return paths


def _describe(
    trained: Trained, file: str, tensors: bytes, licence: str | None, source: str | None
) -> dict[str, Any]:
    """A file spec (`fooling.classifiers.sources.file`)."""
    spec = trained.classifier.spec.model_copy(
        update={"accuracy": trained.measures.accuracy, "licence": licence, "source": source}
    )
    batch = synthetic(spec.size, spec.channels)
    return {
        **spec.model_dump(mode="json", exclude_none=True, exclude={"groups"}),
        "network": {
            "architecture": trained.recipe.architecture,
            "weights": file,
            "sha256": hashlib.sha256(tensors).hexdigest(),
        },
        "provenance": {
            "recipe": asdict(trained.recipe),
            "training_images": trained.training_images,
            "test": asdict(trained.measures),
            "numerics": trained.classifier.numerics.to_dict(),
            "versions": {"fooling": __version__, "torch": torch.__version__},
        },
        "expected": {"confidences": _rows(trained.classifier.classify(batch))},
    }


def _rows(confidences: np.ndarray) -> list[list[float]]:
    """Float32 as the shortest decimals that read back to the same float32."""
    return [[float(str(value)) for value in row] for row in confidences]


def _tensors(trained: Trained) -> bytes:
    network = expect_module(trained.classifier.network, trained.classifier.spec)
    return safetensors.torch.save(
        {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    )
