"""Where classifiers come from: a model SPEC is `source:name`, and a source is a function that opens names."""

from __future__ import annotations

from collections.abc import Callable

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics, resolve
from fooling.classifiers.sources.builtin import open_builtin
from fooling.classifiers.sources.clip import open_clip
from fooling.classifiers.sources.extras import need
from fooling.classifiers.sources.file import open_file
from fooling.classifiers.sources.huggingface import open_huggingface
from fooling.classifiers.sources.onnx import open_onnx
from fooling.classifiers.sources.python import open_python
from fooling.classifiers.sources.timm import open_timm
from fooling.classifiers.sources.torchvision import open_torchvision
from fooling.model_specs import known, split

__all__ = ["SOURCES", "Source", "known", "load"]

Source = Callable[[str, Numerics, bool], Classifier]


def _open_http(name: str, numerics: Numerics, trust: bool) -> Classifier:
    need("urllib3", f"http:{name}")
    from fooling.classifiers.sources.http.source import open_http

    return open_http(name, numerics, trust)


SOURCES: dict[str, Source] = {
    "builtin": open_builtin,
    "clip": open_clip,
    "file": open_file,
    "hf": open_huggingface,
    "http": _open_http,
    "onnx": open_onnx,
    "python": open_python,
    "timm": open_timm,
    "torchvision": open_torchvision,
}


def load(spec: str, *, numerics: Numerics | None = None, trust: bool = False) -> Classifier:
    """The classifier that a model SPEC names.

    Args:
        spec: "builtin:lenet", or one of `fooling.model_specs.FORMS`.
        numerics: left out: `numerics.resolve()`.
        trust: allow what runs its author's code: `python:`, `module:callable`, `.pt2`, TorchScript,
            code that lies in the folder of an `hf:` model.

    Raises:
        InvalidError: an unknown source or model, a network that is wrong, or one that needs trust.
        NotFoundError: a file or module that is not there.
    """
    source, name = split(spec)
    return SOURCES[source](name, resolve() if numerics is None else numerics, trust)
