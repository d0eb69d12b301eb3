"""`torchvision:NAME[@WEIGHTS][?weights=FILE&key=KEY&labels=FILE&view=whole]`: a classifier of torchvision.models with
the weights, transforms and labels that torchvision keeps together (`WeightsEnum`).

Weights are downloaded into torch.hub's cache and held against their hash, or read from a file. Either way
nothing but tensors is read, and every one must fit.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fooling.classifiers import checkpoints, weights_files
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources.extras import need, one_line
from fooling.classifiers.sources.options import Options, require_weights, split
from fooling.classifiers.sources.pipelines import Pipeline, size_from
from fooling.classifiers.spec import Spec, parse
from fooling.errors import InvalidError, NotFoundError, did_you_mean

_log = logging.getLogger("fooling.classifiers")
# Module names must not hold dots, which those of DenseNet did when its weights were saved.
_OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")

_AUXILIARY = re.compile(r"(?:^|\.)(?:aux[12]|AuxLogits)\.")


def open_torchvision(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier of that name.

    Raises:
        InvalidError: no such network or weights, no torchvision, or a file that does not fit.
        NotFoundError: no such file, or weights that can't be downloaded.
    """
    origin = f"torchvision:{name}"
    models = need("torchvision", origin).models
    name, options = split(origin, name, ("weights", "key", "labels", "output", "view"))
    require_weights(options, origin)
    name, at, member = name.partition("@")
    weights = _weights(models, name, member if at else None, origin)
    state = _state(weights, options, origin)
    labels = options.labels or tuple(weights.meta.get("categories") or ())
    if not labels:
        raise InvalidError(
            f"{origin}: expected weights of a classifier, found {weights.name}, which has no labels"
        )
    network = _network(models, name, weights, len(labels), state)
    data = {
        **_pipeline(weights.transforms(), origin).described(options.view, origin),
        "name": name,
        "labels": labels,
        "wordnet": options.wordnet,
        "source": weights.url if options.weights is None else None,
        "licence": weights.meta.get("license"),
    }
    if options.output is not None:
        data["output"] = options.output
    spec = parse(Spec, data, origin)
    file = str(options.weights or weights.url)
    state, notes = checkpoints.network_in(state, network.state_dict(), file, options.key)
    checkpoints.compare_classes(state, network.state_dict(), len(labels), file, options.labels is not None)
    fitted = weights_files.fit(network, state, file)
    return Classifier(fitted, spec, numerics, identity=f"torchvision {name}", notes=(*options.notes, *notes))


def _weights(models: Any, name: str, member: str | None, origin: str) -> Any:
    """The entry of torchvision's table: where weights are, their transforms and labels."""
    names = models.list_models(module=models)
    if name not in names:
        raise InvalidError(
            f"{origin}: expected a classifier of torchvision.models, found {name!r}{did_you_mean(name, names)}"
        )
    entries = models.get_model_weights(name)
    if member is None:
        return entries.DEFAULT
    if member not in entries.__members__:
        known = [entry for entry in entries.__members__ if entry != "DEFAULT"]
        raise InvalidError(f"{origin}: expected {name}@{f' or {name}@'.join(known)}, found @{member}")
    return entries[member]


def _state(weights: Any, options: Options, origin: str) -> weights_files.State:
    if options.weights is not None:
        return _modern(weights_files.read(options.weights))
    _log.debug("%s: weights from %s, which torch downloads once", origin, weights.url)
    try:
        return _modern(weights.get_state_dict(check_hash=True, weights_only=True, map_location="cpu"))
    except (OSError, RuntimeError) as error:  # no network, no such file there, a hash that differs
        raise NotFoundError(
            f"{origin}: could not download {weights.url} ({one_line(error)}); get it on another machine and "
            f"say {origin}{'&' if '?' in origin else '?'}weights=FILE"
        ) from None


def _network(models: Any, name: str, weights: Any, classes: int, state: weights_files.State) -> nn.Module:
    """The network as torchvision builds it for these weights, with random ones."""
    arguments: dict[str, Any] = {"num_classes": classes}
    if name.startswith("vit_"):
        arguments["image_size"] = weights.meta["min_size"][0]
    if name in ("googlenet", "inception_v3"):
        auxiliary = any(_AUXILIARY.search(key) for key in state)
        arguments.update(transform_input=True, init_weights=False, aux_logits=auxiliary)
    with torch.random.fork_rng(devices=[]):
        return models.get_model(name, weights=None, **arguments)


def _modern(state: Mapping[str, Tensor]) -> weights_files.State:
    """Weights that were saved long ago, by the names that they would have today."""
    return {_OLD_DENSENET.sub(r"\1\2", key): value for key, value in state.items()}


def _pipeline(transforms: Any, origin: str) -> Pipeline:
    """What `ImageClassification`, the transforms of all of torchvision's classifiers, does."""
    if type(transforms).__name__ != "ImageClassification":
        raise InvalidError(
            f"{origin}: expected ImageClassification transforms, found {type(transforms).__name__}"
        )
    return Pipeline(
        size=size_from(transforms.crop_size, origin),
        resized=size_from(transforms.resize_size, origin),
        filter=transforms.interpolation.value,
        antialias=bool(transforms.antialias),
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )
