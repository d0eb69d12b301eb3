"""Model SPECs, `source:name`: which ones exist, and what a user probably meant by a text that is no SPEC, or
by a `file:` that is no description. This imports nothing heavy, so that a typo is reported at once."""

from __future__ import annotations

import re
from pathlib import Path

from fooling.errors import InvalidError, NotFoundError, did_you_mean
from fooling.files import user_path
from fooling.first_look import STAND_INS, Kind, look

BUILTIN = ("lenet", "lenet-b", "mlp", "resnet-mini", "vit-mini")  # the networks that come with the package
# The form of a SPEC of each other source.
FORMS = (
    "file:SPEC.toml",
    "torchvision:NAME",
    "timm:NAME",
    "hf:FOLDER-OR-REPOSITORY",
    "clip:SPEC.toml",
    "onnx:MODEL.onnx",
    "http:SPEC.toml",
    "python:MODULE:CALLABLE",
)
SOURCES = ("builtin", *(form.partition(":")[0] for form in FORMS))

_WEIGHTS = (Kind.SAFETENSORS, Kind.TORCH, Kind.OLD_TORCH)
_PROGRAMS = (Kind.TORCHSCRIPT, Kind.EXPORTED)
# Kinds of files that are surely no description of a network. An empty file or unknown bytes may be a damaged
# one.
_BINARY = frozenset(Kind) - {Kind.TEXT, Kind.UNKNOWN, Kind.EMPTY}
_CALLABLE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")


def known() -> tuple[str, ...]:
    """The SPECs of the models that come with the package."""
    return tuple(f"builtin:{name}" for name in BUILTIN)


def split(spec: str) -> tuple[str, str]:
    """The source and the name of a SPEC. Whether its file or function exists is not looked at.

    Raises:
        InvalidError: the source, or the model that should come with the package, is unknown; the line lists
        those that
            exist.
    """
    source, colon, name = spec.partition(":")
    if not colon or not name or source not in SOURCES:
        raise InvalidError(
            f"unknown model {spec!r}: expected one of {', '.join([*known(), *FORMS])}{meant(spec)}"
        )
    if source == "builtin" and name not in BUILTIN:
        raise InvalidError(
            f"unknown model {spec}: expected one of {', '.join(known())}{did_you_mean(name, BUILTIN)}"
        )
    return source, name


def refuse_binary(path: Path) -> None:
    """Refuse a file that can't describe a network, such as weights, a program or an image.

    Raises:
        InvalidError: the line says what the file is, and how a SPEC names it.
        NotFoundError: the file can't be read.
    """
    if path.is_file() and (kind := look(path)) in _BINARY:
        advice = "" if kind in STAND_INS else f"; {_way(path, kind)}"
        raise InvalidError(
            f"{path}: expected a TOML file that describes a network, found {kind.value}{advice}"
        )


def meant(spec: str) -> str:
    """The end of an error about a SPEC without a known source: "; did you mean ...?", or how a SPEC names the
    file; "" if nothing is near."""
    source, colon, _ = spec.partition(":")
    path = user_path(spec)
    if path.is_dir() and (path / "config.json").is_file():
        return f"; did you mean hf:{spec}, or timm:{spec}?"
    try:
        if path.is_file():
            return f"; {_way(path, look(path))}"
    except (NotFoundError, OSError):
        return ""
    candidates = [*known(), *(f"{name}:" for name in SOURCES)]
    if _CALLABLE.fullmatch(spec) and not did_you_mean(source, SOURCES):
        return f"; did you mean python:{spec} (with --trust, which lets its code run)?"
    if path.suffix.lower() == ".onnx" and not colon:
        return f"; did you mean onnx:{spec}? (there is no such file here)"
    return did_you_mean(spec, candidates) or did_you_mean(f"builtin:{spec}", candidates)


def _way(path: Path, kind: Kind) -> str:
    """How a SPEC can name a file of this kind."""
    if kind is Kind.ONNX:
        return f"did you mean onnx:{path}?"
    if kind in _WEIGHTS or kind in _PROGRAMS:
        key = "weights" if kind in _WEIGHTS else "program"
        built = 'architecture = "MODULE:CALLABLE" and ' if key == "weights" else ""
        described = path.with_suffix(".toml")
        return (
            f"a file beside it describes it: write {described} with name, size, colour, labels and a table "
            f'[network] with {built}{key} = "{path.name}", and say file:{described} (docs/models.md)'
        )
    if path.suffix == ".py":
        return f"did you mean python:{path.stem}:FUNCTION (with --trust, which lets its code run)?"
    if kind is Kind.TEXT:
        return f"did you mean file:{path}?"
    return f"it is {kind.value}"


def short(spec: str) -> str:
    """A model SPEC without its source and folders, for people."""
    return spec.rpartition("/")[2].rpartition(":")[2].removesuffix(".toml")
