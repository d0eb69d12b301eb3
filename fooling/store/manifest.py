"""The manifest of a run directory, typed: what is read from one is believed only as far as it fits this.

Keys that a newer writer adds are left out; those that are here have their types and bounds. `trust` is
information: nobody acts on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fooling import encodings
from fooling.classifiers.answers import Answer
from fooling.classifiers.spec import Spec
from fooling.config import Settings
from fooling.errors import InvalidError
from fooling.untrusted import parse_json, parse_model, read_plain

FORMAT = 1
LONGEST = 2**24  # bytes; 21,000 labels with their groups take 2 MB

Text = Annotated[str, Field(max_length=4096)]


class Part(BaseModel):
    """A table of the manifest: strict types; what it does not name is left out."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


class ClassifierPart(Part):
    """What the classifier is."""

    spec: Spec
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{8,128}$")]
    answers: tuple[Answer, ...] | None = None


class NumericsPart(Part):
    """How it computes; the fields of `fooling.classifiers.numerics.Numerics`."""

    threads: Annotated[int, Field(ge=1, le=1024)]
    layout: Literal["channels-last", "nchw"]
    batch: Annotated[int, Field(ge=1, le=2**16)]
    dtype: Literal["float32"] = "float32"
    compiled: bool = False
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:[0-9]{1,3})?)$")] = "cpu"
    device_model: Text = ""


class Manifest(Part):
    """What a run is."""

    format: Annotated[int, Field(ge=1, le=FORMAT)]
    created: Text = ""
    model: Text
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    config: Settings
    classifier: ClassifierPart
    numerics: NumericsPart
    operators: dict[Text, Text]
    versions: dict[Text, Text]
    trust: bool
    parents: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        for name in ("model", "seed"):
            if getattr(self, name) != getattr(self.config, name):
                raise ValueError(
                    f"{name}: expected {getattr(self.config, name)!r}, as in config, found {getattr(self, name)!r}"
                )
        return self


def read(path: Path, run: Path) -> dict[str, Any]:
    """The manifest of a run, all of it of its types, every setting filled in.

    Args:
        path: of the file.
        run: the run directory as messages name it.

    Raises:
        InvalidError: it is no manifest, or one of a newer format.
    """
    try:
        data = read_plain(path, LONGEST)
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidError(f"{run} is no run directory: it has no manifest.json") from None
    except OSError as error:
        raise InvalidError(f"{path} can't be read as a manifest: {error.strerror or error}") from None
    return parse(data, path, run).model_dump(mode="json")


def parse(data: bytes, path: Path, run: Path) -> Manifest:
    """The content of a manifest; arguments and errors as for `read`."""
    found = parse_json(data, f"{path} can't be read as a manifest")
    written = found.get("format") if isinstance(found, dict) else None
    if not isinstance(written, int):
        raise InvalidError(f"{path} can't be read as a manifest: it names no format")
    if written > FORMAT:
        raise InvalidError(
            f"{run} is of format {written}, this version of fooling reads up to {FORMAT}; upgrade fooling"
        )
    return _filled(parse_model(Manifest, data, str(path)), path)


def _filled(manifest: Manifest, path: Path) -> Manifest:
    """With every setting that depends on the classifier, as a run has them from its start on.

    Raises:
        InvalidError: settings that don't suit the classifier or each other.
    """
    config, spec = manifest.config, manifest.classifier.spec
    try:
        encoding = encodings.settle(config.encoding, spec.size, spec.colour)
        search = config.search.settled(encoding, len(spec.labels))
        if search.name == "gradient-ascent" and (encoding.name, encoding.colour) != ("direct", spec.colour):
            raise InvalidError(
                f"encoding: expected direct {spec.colour} for gradient-ascent, found {encoding.name} {encoding.colour}"
            )
        config = Settings.model_validate(config.model_copy(update={"encoding": encoding, "search": search}))
    except InvalidError as error:
        raise InvalidError(f"{path}: config.{error}") from None
    except ValidationError as error:
        raise InvalidError(f"{path}: config: {error.errors()[0]['msg']}") from None
    return manifest.model_copy(update={"config": config})
