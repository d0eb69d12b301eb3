"""`timm:NAME[.TAG][?weights=FILE&labels=FILE&view=whole]`: a classifier of timm with its own weights, data
config and labels.

timm gets the weights from the Hugging Face hub (safetensors where there are any, else a state dict read with
`weights_only=True`); a file is read here. timm converts both from older forms, and all of them must fit.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from fooling.classifiers import weights_files
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources.extras import need, one_line
from fooling.classifiers.sources.options import Options, split
from fooling.classifiers.sources.pipelines import Pipeline, side_of
from fooling.classifiers.spec import Spec, parse
from fooling.errors import InvalidError, NotFoundError, did_you_mean


def open_timm(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier of that name.

    Raises:
        InvalidError: no such network or weights, no timm, or a file that does not fit.
        NotFoundError: no such file, or weights that can't be downloaded.
    """
    origin = f"timm:{name}"
    need("torchvision", origin)  # which timm can't do without
    timm = need("timm", origin)
    name, options = split(origin, name, ("weights", "labels", "output", "view"))
    config = _config(timm, name, origin)
    classes = config.num_classes if options.labels is None else len(options.labels)
    if not classes:
        raise InvalidError(f"{origin}: expected a classifier, found a network without classes")
    labels, wordnet = (options.labels, None) if options.labels else _labels(timm, config, origin)
    network = _network(timm, name, options, classes, origin)
    data = {
        **_pipeline(timm.data.resolve_model_data_config(network), origin).described(options.view, origin),
        "name": name,
        "labels": labels,
        "wordnet": wordnet,
        "source": config.hf_hub_id if options.weights is None else None,
        "licence": config.license,
    }
    if options.output is not None:
        data["output"] = options.output
    spec = parse(Spec, data, origin)
    return Classifier(network, spec, numerics, identity=f"timm {name.partition('.')[0]}")


def _config(timm: Any, name: str, origin: str) -> Any:
    """What timm knows of the pretrained network."""
    architecture, dot, _ = name.partition(".")
    if not timm.is_model(architecture):
        names = timm.list_models()
        raise InvalidError(
            f"{origin}: expected a network of timm, found {architecture!r}{did_you_mean(architecture, names)}"
        )
    tagged = timm.list_pretrained(f"{architecture}.*")
    if dot and name not in tagged:
        known = f"one of {', '.join(tagged)}" if tagged else f"{architecture} without a tag"
        raise InvalidError(f"{origin}: expected {known}, found {name}{did_you_mean(name, tagged)}")
    return timm.get_pretrained_cfg(name)


def _network(timm: Any, name: str, options: Options, classes: int, origin: str) -> nn.Module:
    overlay: dict[str, Any] | None = None
    if options.weights is not None:
        overlay = {
            "state_dict": weights_files.read(options.weights),
            "num_classes": classes,
            "custom_load": False,
        }
    try:
        # It makes random weights first, which draws from torch's global generator.
        with torch.random.fork_rng(devices=[]):
            network = timm.create_model(
                name, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=classes
            )
    except Exception as error:
        if options.weights is not None:
            raise InvalidError(
                f"{options.weights}: expected weights of {name} with {classes} classes: {one_line(error)}"
            ) from None
        raise NotFoundError(
            f"{origin}: could not get its weights ({one_line(error)}); get them on another machine and say "
            f"{origin}{'&' if '?' in origin else '?'}weights=FILE"
        ) from None
    if overlay is not None:
        network.pretrained_cfg.pop("state_dict", None)  # else every copy of the network has the weights twice
    return network.eval().requires_grad_(False)


def _labels(timm: Any, config: Any, origin: str) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Labels, and WordNet ids for those of ImageNet."""
    if config.label_names:
        names = tuple(config.label_names)
        described = config.label_descriptions or {}
        return tuple(described.get(name, name) for name in names), None
    subset = timm.data.infer_imagenet_subset({"num_classes": config.num_classes})
    if subset is None:
        raise InvalidError(
            f"{origin}: timm has no labels for its {config.num_classes} classes: say labels=FILE and weights=FILE"
        )
    info = timm.data.ImageNetInfo(subset)
    return tuple(info.label_descriptions()), tuple(info.label_names())


def _pipeline(config: dict[str, Any], origin: str) -> Pipeline:
    """What `timm.data.create_transform` does to a square photograph. Its crop modes differ for others only."""
    channels, *sides = config["input_size"]
    if channels not in (1, 3):
        raise InvalidError(f"{origin}: expected a network of 1 or 3 channels, found {channels}")
    side = side_of(sides, origin)
    return Pipeline(
        side=side,
        resized=math.floor(side / config["crop_pct"]),
        filter=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        colour="grey" if channels == 1 else "rgb",
    )
