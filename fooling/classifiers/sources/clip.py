"""`clip:spec.toml`: zero-shot classification (Radford et al. 2021): the classes are prompts, and an image is
compared with each of them.

    model = "openai/clip-vit-base-patch32"    # a folder beside this file, or a repository of the hub
    labels = ["cat", "dog"]                   # or a text file; each stands for {} in the template
    template = "a photo of a {}"              # or prompts: a prompt per class, a list or a text file

CLIP's confidences are a softmax over the prompts, at the temperature that the model learned. SigLIP's (Zhai
et al. 2023) are sigmoids, each prompt by itself: they need not sum to 1, and may all be small.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.fingerprint import fingerprint
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources import hub
from fooling.classifiers.sources.documents import read_description
from fooling.classifiers.sources.extras import need, one_line
from fooling.classifiers.sources.image_processor import read_pipeline
from fooling.classifiers.spec import Spec, parse
from fooling.errors import InvalidError
from fooling.files import user_path
from fooling.validation import Record

# Without any of these, transformers makes a tokenizer that reads all texts alike, and says nothing.
_TOKENIZERS = ("tokenizer.json", "vocab.json", "spiece.model")
_OF_THE_MODEL = ("size", "colour", "output", "preprocessing")


class PromptsTable(Record):
    """The keys of the file that are not the spec's."""

    model: Annotated[
        str, Field(description="folder beside the file, or OWNER/NAME[@REVISION] of the Hugging Face hub")
    ]
    template: Annotated[
        str | None, Field(description='prompt in which {} stands for a label: "a photo of a {}"')
    ] = None
    prompts: Annotated[
        tuple[str, ...] | None,
        Field(min_length=1, description="a prompt per class, in the labels' order: a list, or a text file"),
    ] = None


class DualEncoder(nn.Module):
    """(n, 3, side, side) to (n, prompts): how well each image goes with each prompt.

    The prompts' embeddings are no buffer: their last bits are the machine's that computed them, and the
    fingerprint, which holds all buffers, has to be the same on every machine.
    """

    def __init__(self, images: nn.Module, prompts: Tensor, scale: Tensor, bias: Tensor | None) -> None:
        """
        Args:
            images: (n, 3, side, side) to (n, width).
            prompts: (prompts, width), of length 1 each.
            scale: of the similarities, as a logarithm.
            bias: added to them; where there is one, they go through a sigmoid.
        """
        super().__init__()
        self.scale: Tensor
        self.bias: Tensor | None
        self.images, self.prompts = images, prompts
        self.register_buffer("scale", scale.detach().clone())
        self.register_buffer("bias", None if bias is None else bias.detach().clone())

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits of CLIP, or scores of SigLIP."""
        embedded = self.images(pixels)
        embedded = embedded / embedded.norm(dim=-1, keepdim=True)
        similarities = embedded @ self.prompts.T * self.scale.exp()
        return similarities if self.bias is None else (similarities + self.bias).sigmoid()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> DualEncoder:
        super()._apply(fn, recurse)
        self.prompts = fn(self.prompts)
        return self


class ClipImages(nn.Module):
    """CLIP's image encoder."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.vision, self.projection = model.vision_model, model.visual_projection

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, side, side) to (n, width)."""
        return self.projection(self.vision(pixel_values=pixels).pooler_output)


class SiglipImages(nn.Module):
    """SigLIP's image encoder."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.vision = model.vision_model

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, side, side) to (n, width)."""
        return self.vision(pixel_values=pixels).pooler_output


def open_clip(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier that the file describes.

    Raises:
        NotFoundError: the file, or one that it names, is not there; no such model.
        InvalidError: it says something wrong, or no model of the two kinds; no transformers.
    """
    path = user_path(name)
    origin = str(path)
    data, notes = read_description(path)
    for key in _OF_THE_MODEL:
        if key in data:
            raise InvalidError(f"{origin}: expected no {key}, which is the model's own")
    table = parse(
        PromptsTable, {key: data.pop(key) for key in PromptsTable.model_fields if key in data}, origin
    )
    prompts = _prompts(table, data.get("labels"), origin)
    folder = hub.find(table.model, origin, within=path.parent)
    kind = hub.read_json(folder, "config.json", origin).get("model_type")
    if kind not in ("clip", "siglip"):
        raise InvalidError(f"{origin}: expected a model of type clip or siglip, found {kind!r}")
    if kind == "clip" and len(prompts) == 1:
        raise InvalidError(
            f"{origin}: expected two prompts or more, which share CLIP's confidence, found one: an image would be "
            "100 % certain to show it; add one of what it may be instead"
        )
    sigmoid = kind == "siglip"
    spec = parse(
        Spec,
        {
            "name": path.stem,
            "labels": prompts,
            "source": folder.source,
            "confidence": _meaning(sigmoid, len(prompts)),
            **data,
            **read_pipeline(folder, origin).described("input", origin),
            "output": "scores" if sigmoid else "logits",
        },
        origin,
    )
    model: Any = hub.load("SiglipModel" if sigmoid else "CLIPModel", folder, origin)
    tokens, notes = _tokens(model, folder, prompts, origin)
    network = DualEncoder(
        SiglipImages(model) if sigmoid else ClipImages(model),
        _embedded(model, tokens),
        model.logit_scale,
        model.logit_bias if sigmoid else None,
    )
    return Classifier(network.eval(), spec, numerics, identity=_identity(spec, model, tokens), notes=notes)


def _meaning(sigmoid: bool, count: int) -> str:
    if sigmoid:
        return f"sigmoid of how well the image goes with each of {count} prompts, by itself: no softmax, no sum of 1"
    return f"softmax over {count} prompts: what the others leave to the best one"


def _prompts(table: PromptsTable, labels: Any, origin: str) -> tuple[str, ...]:
    if table.prompts is not None and table.template is None:
        if labels is not None and len(labels) != len(table.prompts):
            raise InvalidError(
                f"{origin}: expected {len(labels)} prompts, one per label, found {len(table.prompts)}"
            )
        return table.prompts
    if table.template is None or table.prompts is not None:
        raise InvalidError(f"{origin}: expected a template (with labels) or prompts, one of the two")
    if table.template.count("{}") != 1:
        raise InvalidError(f"{origin}: expected {{}} once in the template, found {table.template!r}")
    if not isinstance(labels, list | tuple) or not labels:
        raise InvalidError(f"{origin}: expected labels for the template, found none")
    return tuple(table.template.replace("{}", str(label)) for label in labels)


def _tokens(
    model: Any, folder: hub.Folder, prompts: tuple[str, ...], origin: str
) -> tuple[list[list[int]], tuple[str, ...]]:
    """The token ids of every prompt, and a note where it is not read as it is written.

    SigLIP was trained on texts filled up to full length, CLIP was not. Both were trained on lower case, SigLIP
    without a full stop at the end. CLIP's tokenizer sees to that, and so does SigLIP's; SigLIP 2's does not.

    Raises:
        InvalidError: no tokenizer that works, or a prompt that is longer than the model reads.
    """
    if not any((folder.path / name).is_file() for name in _TOKENIZERS):
        raise InvalidError(
            f"{origin}: expected a tokenizer ({', '.join(_TOKENIZERS)}) in {folder.path}, found none"
        )
    limit = model.config.text_config.max_position_embeddings
    try:
        tokenizer = need("transformers", origin).AutoTokenizer.from_pretrained(
            folder.path, local_files_only=True
        )
    except Exception as error:
        raise InvalidError(f"{origin}: its tokenizer can't be loaded: {one_line(error)}") from None
    filled = {"padding": "max_length", "max_length": limit} if model.config.model_type == "siglip" else {}
    written = [tokenizer(prompt, **filled)["input_ids"] for prompt in prompts]
    read = [prompt.lower().rstrip(" .") for prompt in prompts] if filled else list(prompts)
    tokens = [tokenizer(prompt, **filled)["input_ids"] for prompt in read]
    notes: tuple[str, ...] = ()
    if changed := [index for index, ids in enumerate(tokens) if ids != written[index]]:
        notes = (
            "prompts are read in lower case and without a full stop at the end, as this model was trained: "
            f"{prompts[changed[0]]!r} as {read[changed[0]]!r}",
        )
    for prompt, ids in zip(prompts, tokens, strict=True):
        if len(ids) > limit:
            raise InvalidError(
                f"{origin}: expected prompts of at most {limit} tokens, found {len(ids)} in {prompt!r}"
            )
        if (same := prompts[tokens.index(ids)]) != prompt:
            raise InvalidError(
                f"{origin}: expected prompts that differ, but the model reads {prompt!r} as {same!r}"
            )
    return tokens, notes


@torch.no_grad()
def _embedded(model: Any, tokens: list[list[int]]) -> Tensor:
    """(prompts, width) float32, of length 1 each. One prompt at a time, on one thread: none depends on the
    others, nor on what else the run is set to."""
    with Numerics(threads=1).applied():
        found = torch.cat([model.get_text_features(torch.tensor([ids])).pooler_output for ids in tokens])
        return found / found.norm(dim=-1, keepdim=True)


def _identity(spec: Spec, model: Any, tokens: list[list[int]]) -> str:
    """What tells the classes from others: the text encoder's weights and the tokens."""
    texts = nn.ModuleList(
        [getattr(model, part) for part in ("text_model", "text_projection") if hasattr(model, part)]
    )
    return fingerprint(spec, texts, nn.Identity(), json.dumps(tokens))
