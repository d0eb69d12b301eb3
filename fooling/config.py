"""The settings of a run: one set of pydantic models, and the layers that fill them.

Layers, later ones winning: defaults < profile < file < environment (FOOLING__SEARCH__GENERATIONS) <
`--set search.generations=60` < flags. Unknown keys are refused; the manifest keeps every resolved value.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from fooling import encodings
from fooling.encodings.settings import CppnSettings, EncodingSettings, ResolvedEncoding
from fooling.errors import InvalidError
from fooling.files import read_text
from fooling.ready_made import find
from fooling.search.settings import GradientAscentSettings, MapElitesSettings, ResolvedSearch, SearchSettings
from fooling.sizes import Size
from fooling.validation import Strict, explain

ENVIRONMENT_PREFIX = "FOOLING__"


class StopSettings(Strict):
    """When a run ends before its generations are done; each is checked between generations."""

    confidence: float | None = Field(
        None,
        gt=0,
        le=1,
        description="stop when every class that the search is for has an elite of at least this confidence",
    )
    evaluations: int | None = Field(None, ge=1, le=2**62, description="stop after at least so many images")
    seconds: float | None = Field(
        None, gt=0, le=1e9, description="stop after so many seconds of search (such a run is not repeatable)"
    )


class RunSettings(Strict):
    """How a run is computed. `threads`, `layout`, `batch`, `compile` and `device` are its numerics: they may
    change the last bits of a confidence, so they are kept in the manifest and obeyed by every executor."""

    chunk: int | None = Field(
        None,
        ge=1,
        le=2**24,
        description="children that are varied, rendered and classified together (default: `batch`; twice that "
        "for small images where there is work enough for all evaluators); changes no result",
    )
    threads: int = Field(1, ge=1, le=1024, description="threads of each evaluator's classifier")
    layout: Literal["channels-last", "nchw"] = Field(
        "channels-last", description="memory layout of images and network"
    )
    batch: int = Field(50, ge=1, le=2**16, description="images per forward pass; the last one is padded")
    compile: bool = Field(
        False,
        description="compile the network (`torch.compile`; needs a C++ compiler): half a minute at first, then "
        "faster for networks of many small layers",
    )
    device: str = Field("auto", description="`cpu`, `cuda`, `cuda:1`; `auto` takes a GPU where there is one")
    evaluators: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="chunks computed at once (default: usable cores / threads; 2 on CUDA); changes no result",
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Ray workers to compute on (default: this process); changes no result",
    )
    address: str | None = Field(
        None,
        description="HOST:PORT of the Ray cluster, or `auto` for one of this machine (default: one is started); "
        "without `workers`, all of it is used",
    )
    gpus: float | None = Field(
        None,
        ge=0,
        le=4096,
        description="GPUs of each Ray worker, fractions allowed (default: one per worker on CUDA; without a cluster, "
        "this machine's GPUs are divided among the workers)",
    )
    spread: bool = Field(
        False,
        description="put each network of an ensemble on Ray workers of its own, at least one, so that together "
        "they may be larger than a GPU; changes no result",
    )
    patience: float = Field(
        600.0,
        gt=0,
        le=1e9,
        description="seconds that a chunk may take on a Ray worker before it is computed elsewhere",
    )
    checkpoint_seconds: float = Field(
        30.0,
        ge=0,
        le=1e9,
        description="seconds between checkpoints; the first one comes after a thirtieth of that, the next ones when the "
        "run is twice as old",
    )


class ClassifierSettings(Strict):
    """How the classifier is shown images, where that is not what its spec says."""

    views: Literal["ten"] | None = Field(
        None,
        description="`ten`: the mean over ten crops, four corners and centre, each also mirrored, of 227/256 "
        "of the image's side, as in the released code (default: what the spec says)",
    )


class Settings(Strict):
    """All settings of a run."""

    model: str = Field("builtin:lenet", description="the classifier, as `source:name`")
    seed: int = Field(0, ge=0, lt=2**63, description="the seed of all randomness")
    classifier: ClassifierSettings = Field(default_factory=ClassifierSettings)
    encoding: EncodingSettings = Field(default_factory=CppnSettings)
    search: SearchSettings = Field(default_factory=MapElitesSettings)
    stop: StopSettings = Field(default_factory=StopSettings)
    run: RunSettings = Field(default_factory=RunSettings)


class ResolvedSettings(Settings):
    """All settings of a run, none of them left to the classifier."""

    encoding: ResolvedEncoding
    search: ResolvedSearch

    @classmethod
    def of(cls, settings: Settings, size: Size, colour: str, classes: int) -> ResolvedSettings:
        """Fill in the settings that depend on the classifier.

        Args:
            size: the size of the classifier's images.
            colour: "grey" or "rgb", the colour of the classifier's images.
            classes: the number of the classifier's classes.

        Raises:
            InvalidError: settings that don't suit the classifier or each other; the message begins with the key.
        """
        encoding = encodings.resolve(settings.encoding, size, colour)
        search = settings.search.resolved(encoding, classes)
        if search.name == "gradient-ascent" and (encoding.name, encoding.colour) != ("direct", colour):
            raise InvalidError(
                f"encoding: expected direct {colour} for gradient-ascent, found {encoding.name} {encoding.colour}"
            )
        return cls.model_validate({**dict(settings), "encoding": encoding, "search": search})


def resolve(
    config: str | Path | None = None,
    assignments: Iterable[str] = (),
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings that all layers together give.

    Args:
        config: the name of a ready-made config, or a path; None for the defaults.
        assignments: texts like "search.generations=60".
        flags: dotted keys and values that win over everything.
        environment: variables to look for FOOLING__ names in (default: the process's own).

    Raises:
        NotFoundError: no such config.
        InvalidError: not TOML, an unknown key, a wrong type or a value out of range; no classifier.
    """
    layers: dict[str, Any] = {}
    origins: dict[str, str] = {}  # key -> the option or variable that gave it
    source = "the settings"
    if config is not None:
        path = find(config)
        source = path.name
        _merge(layers, _read(path))
    for name, text in sorted((os.environ if environment is None else environment).items()):
        if name.startswith(ENVIRONMENT_PREFIX):
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            _assign(layers, key, _value(text), name)
            origins[key] = name
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise InvalidError(f"--set {assignment}: expected KEY=VALUE, like search.generations=60")
        _assign(layers, key.strip(), _value(text.strip()), f"--set {assignment}")
        origins[key.strip()] = f"--set {assignment}"
    for key, value in (flags or {}).items():
        _assign(layers, key, value, f"--{key}")
        origins[key] = f"--{key.rpartition('.')[2]}"
    search = _named(layers, "search", MapElitesSettings().name)
    _named(layers, "encoding", "direct" if search == GradientAscentSettings().name else CppnSettings().name)
    settings = validate(layers, source, origins)
    if not settings.model:
        raise InvalidError(
            f"{source} leaves the classifier to you: give one with --model SPEC (docs/models.md)"
        )
    return settings


def validate(values: Mapping[str, Any], source: str, origins: Mapping[str, str] | None = None) -> Settings:
    """Settings from plain values, without any layers (a manifest's, for one).

    Args:
        origins: where single keys come from, where that is not `source`.

    Raises:
        InvalidError: naming `source`, the first wrong key, what was expected and what was found.
    """
    if key := _with_zero(values):
        raise InvalidError(
            f"{(origins or {}).get(key, source)}: {key}: expected text, found a zero character in it"
        )
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        told = explain(error, Settings)
        key = told.replace(":", " ").partition(" ")[0]
        raise InvalidError(f"{(origins or {}).get(key, source)}: {told}") from None


def _with_zero(values: Mapping[str, Any], prefix: str = "") -> str:
    """The first key whose text has a zero character, which no path or name can have; "" where there is none."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            if found := _with_zero(value, f"{prefix}{name}."):
                return found
        elif isinstance(value, str) and "\0" in value:
            return f"{prefix}{name}"
    return ""


def _read(path: Path) -> dict[str, Any]:
    text = read_text(path, "a config in TOML")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidError(f"{path}: not TOML: {error}") from None


def _value(text: str) -> Any:
    """A value as TOML reads it; what is not TOML is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _assign(layers: dict[str, Any], key: str, value: Any, source: str) -> None:
    *tables, last = key.split(".")
    node = layers
    for table in tables:
        node = node.setdefault(table, {})
        if not isinstance(node, dict):
            raise InvalidError(f"{source}: {table} is a value, not a table of settings")
    node[last] = value


def _named(layers: dict[str, Any], table: str, default: str) -> Any:
    """The name in a table of settings, the default where none was given."""
    given = layers.setdefault(table, {})
    return given.setdefault("name", default) if isinstance(given, dict) else None


def _merge(layers: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(layers.get(key), dict):
            _merge(layers[key], value)
        else:
            layers[key] = value
