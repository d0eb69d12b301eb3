"""`manifest.json`: a run's `RunSpec` in a file, which may come from a stranger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fooling.config import ResolvedSettings, Settings
from fooling.errors import InvalidError
from fooling.store.spec import FORMAT, RunSpec
from fooling.untrusted import parse_json, parse_model, read_plain

LONGEST = 2**24  # bytes; 21,000 labels with their groups take 2 MB


class _Written(RunSpec):
    """A manifest as it was written: runs that are older than a setting leave it open."""

    config: Settings  # type: ignore[assignment]


def read(path: Path, run: Path) -> RunSpec:
    """The manifest of a run, every setting filled in.

    Args:
        path: the path of the file.
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
    return parse(data, path, run)


def parse(data: bytes, path: Path, run: Path) -> RunSpec:
    """The content of a manifest; arguments and errors as for `read`."""
    found = parse_json(data, f"{path} can't be read as a manifest")
    written = found.get("format") if isinstance(found, dict) else None
    if not isinstance(written, int):
        raise InvalidError(f"{path} can't be read as a manifest: it names no format")
    if written > FORMAT:
        raise InvalidError(
            f"{run} is of format {written}, this version of fooling reads up to {FORMAT}; upgrade fooling"
        )
    return _resolved(parse_model(_Written, data, str(path)), path)


def document(spec: RunSpec) -> dict[str, Any]:
    """The JSON-like data that the file holds."""
    return spec.model_dump(mode="json")


def _resolved(written: _Written, path: Path) -> RunSpec:
    """The spec of the run, with every setting that depends on the classifier, as a run has them from its start on.

    Raises:
        InvalidError: settings that don't suit the classifier or each other.
    """
    spec = written.classifier.spec
    try:
        config = ResolvedSettings.of(written.config, spec.size, spec.colour, len(spec.labels))
        return RunSpec(**{**dict(written), "config": config})
    except InvalidError as error:
        raise InvalidError(f"{path}: config.{error}") from None
    except ValidationError as error:
        raise InvalidError(f"{path}: config: {error.errors()[0]['msg']}") from None
