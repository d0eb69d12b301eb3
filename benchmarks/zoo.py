"""The assets' networks as classifiers: real ones, of 1,000 ImageNet classes.

From Python, `network("mcunet_5fps_128")`; on the command line, from the repository's root,

    fooling run imagenet-cppn --model python:benchmarks.zoo:mcunet_5fps_128 --trust
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from benchmarks.report import assets
from fooling import classifiers
from fooling.classifiers.architectures.lenet import LeNet


def network(name: str, size: int | None = None) -> classifiers.Classifier:
    """A network of the assets.

    Args:
        name: as in the assets' `zoo.py`.
        size: side of the images (default: the network's own); the network sees their centre.

    Raises:
        FileNotFoundError: there are no assets.
    """
    module = _zoo().load(name)
    own: int = _zoo().MODELS[name][1]
    size = size or own
    spec = classifiers.Spec(
        name=name,
        size=size,
        colour="rgb",
        **_classes(),
        preprocessing=classifiers.Preprocessing(crop=classifiers.Crop(size=own) if size > own else None),
    )
    return classifiers.from_module(module, spec)


def authors_lenet() -> classifiers.Classifier:
    """The LeNet of the authors' repository, whose input is x / 256 without a mean (99.18 % of MNIST).

    Raises:
        FileNotFoundError: there are no assets.
    """
    from safetensors.torch import load_file

    folder = assets()
    if folder is None:
        raise FileNotFoundError("no assets: set FOOLING_ASSETS")
    module = LeNet(10)
    module.load_state_dict(load_file(folder / "weights" / "lenet_caffe.safetensors"))
    spec = classifiers.Spec(
        name="lenet_caffe",
        size=28,
        colour="grey",
        labels=tuple("0123456789"),
        preprocessing=classifiers.Preprocessing(scale=255 / 256),
    )
    return classifiers.from_module(module.eval(), spec)


def __getattr__(name: str) -> Callable[[], classifiers.Classifier]:
    """A function that opens the network of that name, as the source `python:` calls it."""
    if not name.startswith("_") and assets() is not None and name in _zoo().MODELS:
        return partial(network, name)
    raise AttributeError(name)


@lru_cache(maxsize=1)
def _classes() -> dict[str, Any]:
    """Labels, WordNet ids and groups of the 1,000 classes, as a spec takes them."""
    folder = assets()
    assert folder is not None
    lines = (folder / "imagenet" / "synset_words.txt").read_text().splitlines()
    ids, names = zip(*(line.split(" ", 1) for line in lines), strict=True)
    groups = json.loads((folder / "imagenet" / "hierarchy.json").read_text())["groups"]
    return {
        "labels": tuple(name.split(",")[0] for name in names),
        "wordnet": ids,
        "groups": {name: tuple(group["indices"]) for name, group in groups.items()},
    }


@lru_cache(maxsize=1)
def _zoo() -> Any:
    folder = assets()
    if folder is None:
        raise FileNotFoundError("no assets: set FOOLING_ASSETS")
    spec = importlib.util.spec_from_file_location("zoo", folder / "zoo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
