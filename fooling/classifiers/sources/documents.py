"""What is said about a network in a TOML (or JSON) file, and in the files that it names: labels, WordNet ids,
groups, a mean image. All paths are relative to the file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.spec import Spec
from fooling.datasets.label_files import read_labels
from fooling.errors import InvalidError, first_line
from fooling.files import read_text
from fooling.first_look import Kind, expect
from fooling.model_specs import refuse_binary


def read_description(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The keys and tables of a file that describes a classifier, and notes about what was made out. Where `labels`,
    `prompts`, `wordnet` or `groups` name files beside it, what those hold stands in their place; WordNet ids that lie
    beside labels are taken too.

    Raises:
        NotFoundError: the file, or one that it names, is not there.
        InvalidError: they can't be read.
    """
    data = _read(path)
    notes: list[str] = []
    for key in ("labels", "prompts", "wordnet"):
        if not isinstance(data.get(key), str):
            continue
        found = read_labels(path.parent / data[key])
        notes += found.notes(data[key])
        data[key] = found.wordnet or found.labels if key == "wordnet" else found.labels
        if key == "labels" and found.wordnet is not None:
            data.setdefault("wordnet", found.wordnet)
    if isinstance(data.get("groups"), str):
        data["groups"] = _read_groups(path.parent / data["groups"])
    return data, tuple(notes)


def read_mean_image(path: Path, spec: Spec) -> NDArray[np.float32] | None:
    """The mean image that a spec names, None where it names none.

    Returns:
        (input channels, height, width) float32, as far as the file's author kept to that.

    Raises:
        NotFoundError: no such file.
        InvalidError: not a plain .npy array of finite numbers.
    """
    name = spec.preprocessing.mean_image
    if name is None:
        return None
    file = path.parent / name
    expect(file, "a mean image (.npy)", Kind.ARRAY)
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InvalidError(f"{file}: expected a mean image as a plain .npy array: {error}") from None
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        raise InvalidError(f"{file}: expected finite numbers in the mean image, found {array.dtype}")
    return array.astype(np.float32)


def _read_groups(path: Path) -> dict[str, Any]:
    """Groups from a JSON (or TOML) file: {name: [class index, ...]}, or {name: {"indices": [...]}}, as they
    are or under "groups"."""
    data = _read(path)
    groups = data.get("groups", data)
    if not isinstance(groups, dict):
        raise InvalidError(f"{path}: expected groups by name, found {type(groups).__name__}")
    return {
        name: members.get("indices", members) if isinstance(members, dict) else members
        for name, members in groups.items()
    }


def _read(path: Path) -> dict[str, Any]:
    refuse_binary(path)
    kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
    text = read_text(path, f"a {kind} file that describes a network")
    try:
        data = json.loads(text) if kind == "JSON" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"{path}: expected {kind}: {first_line(error)}") from None
    if not isinstance(data, dict):
        raise InvalidError(f"{path}: expected keys and values, found {type(data).__name__}")
    return data
