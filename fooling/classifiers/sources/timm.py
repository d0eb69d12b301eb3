"""`timm:NAME[.TAG][?weights=FILE&key=KEY&labels=FILE&view=whole]`: a classifier of timm with its own weights,
data config and labels. `timm:FOLDER` and `timm:OWNER/NAME[@REVISION]`: one that timm's `save_for_hf` wrote, which
`timm:local-dir:FOLDER` and `timm:hf-hub:OWNER/NAME` name too, as timm does.

timm gets the weights of its own networks from the Hugging Face hub (safetensors where there are any, else a state
dict read with `weights_only=True`); a file, also in a folder, is read here. timm converts both from older forms, and
all of them must fit.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fooling.classifiers import checkpoints, weights_files
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources import hub
from fooling.classifiers.sources.extras import need, one_line
from fooling.classifiers.sources.options import Options, require_weights, split
from fooling.classifiers.sources.pipelines import Pipeline, size_from
from fooling.classifiers.spec import Spec, parse
from fooling.datasets.names import wordnet_ids
from fooling.errors import InvalidError, NotFoundError, did_you_mean
from fooling.sizes import colour_of, size_of

_log = logging.getLogger("fooling.classifiers")
_PLACES = ("local-dir:", "hf-hub:", "hf_hub:")
# Of a folder's data config, what would have timm look for the weights elsewhere.
_ELSEWHERE = ("url", "file", "state_dict", "hf_hub_id", "hf_hub_filename", "source", "custom_load")


@dataclass(frozen=True)
class Described:
    """What is known of a network before its weights are read.

    Attributes:
        name: for reports.
        architecture: the name under which timm makes it, with or without a tag.
        config: timm's data config, with labels where they are known.
        arguments: of the architecture.
        weights: a file; None: timm downloads them.
        source: the repository and commit, where it comes from the hub.
        registered: whether the data config is the one that timm has for the architecture.
    """

    name: str
    architecture: str
    config: Any
    arguments: dict[str, Any]
    weights: Path | None
    source: str | None
    registered: bool = False


def open_timm(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier of that name, or in that folder or repository.

    Raises:
        InvalidError: no such network or weights, no timm, or a file that does not fit.
        NotFoundError: no such file, or weights that can't be downloaded.
    """
    origin = f"timm:{name}"
    need("torchvision", origin)  # which timm can't do without
    timm = need("timm", origin)
    name, options = split(origin, name, ("weights", "key", "labels", "output", "view"))
    in_folder = name.startswith(_PLACES) or "/" in name or (not timm.is_model(name) and Path(name).is_dir())
    if in_folder:
        described = _in_folder(timm, name, options, origin)
    else:
        require_weights(options, origin)
        config = _config(timm, name, origin)
        source = config.hf_hub_id if options.weights is None else None
        described = Described(name, name, config, {}, options.weights, source, registered=True)
    labels, wordnet, unnamed = _labels(timm, described.config, options, in_folder, origin)
    network, notes = _network(timm, described, labels, options, origin)
    data = {
        **_pipeline(timm.data.resolve_model_data_config(network), origin).described(options.view, origin),
        "name": described.name,
        "labels": labels,
        "wordnet": wordnet,
        "source": described.source,
        "licence": described.config.license,
    }
    if options.output is not None:
        data["output"] = options.output
    spec = parse(Spec, data, origin)
    identity = f"timm {described.architecture.partition('.')[0]}"
    return Classifier(network, spec, numerics, identity=identity, notes=(*notes, *unnamed))


def _in_folder(timm: Any, name: str, options: Options, origin: str) -> Described:
    """What lies in a folder, or a repository of the hub.

    Raises:
        NotFoundError: no such folder or repository, or no weights in it.
        InvalidError: not of timm's form; transformers', say.
    """
    place = next((place for place in _PLACES if name.startswith(place)), "")
    name = name.removeprefix(place)
    folder = hub.find(name, origin)
    data = hub.read_json(folder, "config.json", origin)
    architecture = data.get("architecture")
    if not isinstance(architecture, str) or not timm.is_model(architecture):
        other = f": did you mean hf:{name}?" if "model_type" in data else ""
        raise InvalidError(
            f"{origin}: expected architecture of timm in config.json, found {architecture!r}{other}"
        )
    arguments = data.get("model_args") or {}
    settings = {
        **data.get("pretrained_cfg", data),
        **{k: data[k] for k in ("num_classes", "label_names", "label_descriptions") if k in data},
    }
    if channels := arguments.get("in_chans"):
        settings["input_size"] = (channels, *settings.get("input_size", (3, 224, 224))[1:])
    known = {field.name for field in fields(timm.models.PretrainedCfg)}.difference(_ELSEWHERE)
    try:
        config = timm.models.PretrainedCfg(**{key: value for key, value in settings.items() if key in known})
    except (TypeError, ValueError) as error:
        raise InvalidError(
            f"{origin}: expected a data config of timm in config.json: {one_line(error)}"
        ) from None
    weights = options.weights or _weights_in(folder, origin)
    return Described(folder.name, architecture, config, arguments, weights, folder.source)


def _weights_in(folder: hub.Folder, origin: str) -> Path:
    files = [
        folder.path / name
        for name in ("model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin")
    ]
    found = [file for file in files if file.is_file()] or sorted(folder.path.glob("*.safetensors"))
    if not found:
        raise NotFoundError(
            f"{origin}: expected model.safetensors in {folder.path}, found none: say ?weights=FILE"
        )
    return found[0]


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


def _network(
    timm: Any, described: Described, labels: tuple[str, ...], options: Options, origin: str
) -> tuple[nn.Module, tuple[str, ...]]:
    """The network, and notes on where in a file its weights were."""
    classes = len(labels)
    notes: tuple[str, ...] = ()
    overlay: dict[str, Any] | None = None
    arguments = {**described.arguments, "num_classes": classes}
    if described.weights is not None:
        state, notes = _weights(timm, described.architecture, described.weights, arguments, options)
        overlay = {"state_dict": state, "num_classes": classes, "custom_load": False}
        if _sees_grey(described.config, state):
            arguments["in_chans"] = 1
            overlay["input_size"] = (1, *described.config.input_size[1:])
    config = None if described.registered else described.config.to_dict()
    _log.debug("%s: weights from %s", origin, described.weights or described.source or "timm's download")
    try:
        # It makes random weights first, which draws from torch's global generator.
        with (
            torch.random.fork_rng(devices=[]),
            hub.offline_unless_reachable(origin, described.weights is None),
        ):
            network = timm.create_model(
                described.architecture,
                pretrained=True,
                pretrained_cfg=config,
                pretrained_cfg_overlay=overlay,
                **arguments,
            )
    except Exception as error:
        if described.weights is not None:
            raise InvalidError(
                f"{described.weights}: expected weights of {described.architecture} with {classes} classes: "
                f"{one_line(error)}"
            ) from None
        raise NotFoundError(
            f"{origin}: could not get its weights ({one_line(error)}); get them on another machine and say "
            f"{origin}{'&' if '?' in origin else '?'}weights=FILE"
        ) from None
    if overlay is not None:
        network.pretrained_cfg.pop("state_dict", None)  # else every copy of the network has the weights twice
    return network.eval().requires_grad_(False), notes


def _weights(
    timm: Any, architecture: str, file: Path, arguments: dict[str, Any], options: Options
) -> tuple[weights_files.State, tuple[str, ...]]:
    """The tensors of the file, by the names that the network has for them; notes on where they were."""
    state = weights_files.read(file)
    try:
        with torch.random.fork_rng(devices=[]):
            wanted = timm.create_model(architecture, pretrained=False, **arguments).state_dict()
    except Exception as error:
        raise InvalidError(f"{architecture}: timm can't make it: {one_line(error)}") from None
    state, notes = checkpoints.network_in(state, wanted, str(file), options.key)
    classes, labelled = arguments["num_classes"], options.labels is not None
    checkpoints.compare_classes(state, wanted, classes, str(file), labelled)
    return state, notes


def _sees_grey(config: Any, state: weights_files.State) -> bool:
    """Whether the first convolution has one channel, where timm's own weights for that network have three."""
    first = config.first_conv
    first = first if isinstance(first, str) else (first or ("",))[0]
    weight: Tensor | None = state.get(f"{first}.weight")
    return weight is not None and weight.ndim == 4 and weight.shape[1] == 1 and config.input_size[0] == 3


def _labels(
    timm: Any, config: Any, options: Options, in_folder: bool, origin: str
) -> tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...]]:
    """Labels, WordNet ids for those of ImageNet, and a note where a folder has none."""
    if options.labels is not None:
        return options.labels, options.wordnet, options.notes
    if not config.num_classes:
        raise InvalidError(f"{origin}: expected a classifier, found a network without classes")
    if config.label_names:
        names = tuple(config.label_names)
        described = config.label_descriptions or {}
        return tuple(described.get(name, name) for name in names), wordnet_ids(names), ()
    subset = timm.data.infer_imagenet_subset({"num_classes": config.num_classes})
    if subset is None and in_folder:
        numbers = tuple(str(index) for index in range(config.num_classes))
        note = f"its folder names no classes: they are called 0 to {len(numbers) - 1}; labels=FILE names them"
        return numbers, None, (note,)
    if subset is None:
        raise InvalidError(
            f"{origin}: timm has no labels for its {config.num_classes} classes: say labels=FILE and weights=FILE"
        )
    info = timm.data.ImageNetInfo(subset)
    return tuple(info.label_descriptions()), tuple(info.label_names()), ()


def _pipeline(config: dict[str, Any], origin: str) -> Pipeline:
    """What `timm.data.create_transform` does to a photograph of the aspect ratio that the network
    sees. Its crop modes differ for others only."""
    channels, *sides = config["input_size"]
    if channels not in (1, 3):
        raise InvalidError(f"{origin}: expected a network of 1 or 3 channels, found {channels}")
    size = size_from(sides, origin)
    return Pipeline(
        size=size,
        resized=size_of([math.floor(side / config["crop_pct"]) for side in sides]),
        filter=config["interpolation"],
        mean=_per_channel(config["mean"], channels),
        std=_per_channel(config["std"], channels),
        colour=colour_of(channels),
    )


def _per_channel(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """Of three numbers one channel gets the average, as timm's own loaders give it."""
    return tuple(values) if len(values) == channels else (sum(values) / len(values),) * channels
