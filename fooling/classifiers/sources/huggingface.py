"""`hf:FOLDER` or `hf:REPOSITORY[@REVISION]`: an image classifier of transformers, with its own preprocessing
and labels. Weights in safetensors only; code that lies with them runs with trust only."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources import hub
from fooling.classifiers.sources.extras import need
from fooling.classifiers.sources.image_processor import read_pipeline
from fooling.classifiers.sources.options import split
from fooling.classifiers.sources.python import require_trust
from fooling.classifiers.spec import Output, Spec, parse
from fooling.errors import InvalidError


class Outputs(nn.Module):
    """(n, 3, side, side) to (n, classes): the logits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Ask the network alone: the spec does the preprocessing."""
        logits: Tensor = self.model(pixel_values=pixels).logits
        return logits


def open_huggingface(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier in that folder or repository.

    Raises:
        InvalidError: no image classifier, none in safetensors, or one that needs trust; no transformers.
        NotFoundError: no such folder or repository, or no description of its preprocessing.
    """
    origin = f"hf:{name}"
    name, options = split(origin, name, ("labels", "output", "view"))
    folder = hub.find(name, origin, code=trust)
    config = hub.read_json(folder, "config.json", origin)
    if "model_type" not in config and "architecture" in config:
        raise InvalidError(
            f"{origin}: expected a model in the form of transformers, found timm's: did you mean timm:{name}? (it is "
            f"a timm:{config['architecture']})"
        )
    code = _brings_code(config, origin)
    if code:
        require_trust(trust, f"{origin} carries code that loading would run")
    network: Any = hub.load("AutoModelForImageClassification", folder, origin, trust=code)
    labels = network.config.id2label
    output = options.output or _output(config, origin)
    if len(labels) == 1 and output == "logits":
        raise InvalidError(
            f"{origin}: one output is no classifier by a softmax, which would be 100 % certain of every image: if it "
            f"is the logit of one class say hf:{name}?output=sigmoid, and labels=FILE to name it (one line), or its "
            "counterpart and it (two)"
        )
    data = {
        **read_pipeline(folder, origin, _channels(config, origin)).described(options.view, origin),
        "name": folder.name,
        "labels": options.labels or [str(labels[index]) for index in sorted(labels)],
        "wordnet": options.wordnet,
        "output": output,
        "source": folder.source,
    }
    spec = parse(Spec, data, origin)
    identity = f"transformers {config.get('model_type')}"
    return Classifier(Outputs(network).eval(), spec, numerics, identity=identity, notes=options.notes)


def _brings_code(config: dict[str, Any], origin: str) -> bool:
    """Whether the network's code lies with its weights; that of a known kind is transformers' own.

    Raises:
        InvalidError: no image classifier of transformers, and no code either.
    """
    need("transformers", origin)
    from transformers.models.auto import modeling_auto

    kind = config.get("model_type")
    if kind in modeling_auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES:
        return False
    if "AutoModelForImageClassification" in (config.get("auto_map") or {}):
        return True
    raise InvalidError(f"{origin}: expected an image classifier of transformers, found model_type {kind!r}")


def _channels(config: dict[str, Any], origin: str) -> int:
    channels = config.get("num_channels", config.get("in_channels", 3))
    if channels not in (1, 3):
        raise InvalidError(f"{origin}: expected a network of 1 or 3 channels, found {channels}")
    return int(channels)


def _output(config: dict[str, Any], origin: str) -> Output:
    """What the network was trained for: classes that exclude each other, or that do not."""
    problem = config.get("problem_type") or "single_label_classification"
    if problem not in ("single_label_classification", "multi_label_classification"):
        raise InvalidError(
            f"{origin}: expected a classifier, found problem_type {problem!r}; if it is one, say ?output=logits or "
            "?output=sigmoid"
        )
    return "sigmoid" if problem == "multi_label_classification" else "logits"
