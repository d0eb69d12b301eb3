"""A run directory at a glance: what the lists say of it, from its manifest and the end of its log.

The directory may come from a stranger: nothing is read through a link, and nothing is believed that is not of its
type. The whole of a run is `fooling.store`'s to read; a glance takes a millisecond and imports no torch.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fooling.errors import InvalidError
from fooling.service.jobs.locks import is_held
from fooling.service.jobs.models import Progress, State
from fooling.untrusted import open_plain, parse_json, parse_model, read_plain

LONGEST_MANIFEST = 2**24  # bytes, as `fooling.store.manifest` takes
_TAIL, _LONGEST_TAIL = 2**14, 2**22  # bytes of a log's end that are looked at first, and at most
_ENDINGS = {"completed": State.COMPLETED, "failed": State.FAILED}
_Text = Annotated[str, Field(max_length=4096)]
_Count = Annotated[int, Field(ge=0, le=2**62)]
_Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


class _Named(_Part):
    name: _Text = ""


class _Search(_Named):
    generations: _Count | None = None


class _Config(_Part):
    encoding: _Named = _Named()
    search: _Search = _Search()


class _Spec(_Part):
    labels: Annotated[list[Any], Field(max_length=2**20)] = []


class _Classifier(_Part):
    spec: _Spec


class Manifest(_Part):
    """What a manifest says of a run, as far as lists show it."""

    created: _Text = ""
    model: _Text
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    config: _Config
    classifier: _Classifier


class _Generation(_Part):
    generation: Annotated[int, Field(ge=-1, lt=2**31)]
    evaluations: _Count
    seconds: Annotated[float, Field(ge=0, le=1e12)]
    median: _Share | None = None
    mean: _Share | None = None
    min: _Share | None = None
    max: _Share | None = None


class Ending(BaseModel):
    """The end of a run's log.

    Attributes:
        progress: the last whole generation.
        event: the last event's name, "" where there is none.
        reason: that it gives.
    """

    progress: Progress = Progress()
    event: str = ""
    reason: str = ""


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a run.

    Raises:
        OSError, InvalidError: there is none that can be read.
    """
    path = directory / "manifest.json"
    return parse_model(Manifest, read_plain(path, LONGEST_MANIFEST), path.name)


def stamp_of(directory: Path) -> str:
    """A text that changes with the log of a run; "" where there is none."""
    try:
        found = os.lstat(directory / "events.jsonl")
    except OSError:
        return ""
    return f"{found.st_mtime_ns}:{found.st_size}"


def read_ending(directory: Path) -> Ending:
    """The end of a run's log, whatever is wrong with the rest: a torn last line is left out, and a log that can't be
    read has no end."""
    ending = Ending()
    try:
        with open_plain(directory / "events.jsonl") as file:
            size = os.fstat(file.fileno()).st_size
            length = _TAIL
            while True:
                file.seek(max(0, size - length))
                lines = file.read(length).split(b"\n")[:-1]  # what follows the last newline is being written
                whole = lines if length >= size else lines[1:]
                ending = _ending(whole)
                if ending.progress.generation >= 0 or length >= min(size, _LONGEST_TAIL):
                    return ending
                length *= 8
    except (OSError, InvalidError):
        return ending


def _ending(lines: list[bytes]) -> Ending:
    last: dict[str, Any] | None = None
    for line in reversed(lines):
        try:
            event = parse_json(line, "")
        except InvalidError:
            continue
        if not isinstance(event, dict):
            continue
        last = last or event
        if event.get("event") == "generation":
            try:
                found = _Generation.model_validate(event)
            except ValidationError:
                continue
            progress = Progress(**found.model_dump())
            return Ending(progress=progress, event=_text(last, "event"), reason=_text(last, "reason"))
    return Ending(event=_text(last, "event"), reason=_text(last, "reason"))


def _text(event: dict[str, Any] | None, key: str) -> str:
    found = event.get(key) if event else ""
    return found[:4096] if isinstance(found, str) else ""


def state_of(directory: Path, ending: Ending) -> State:
    """The state of a run that the service did not start. What was interrupted can be continued by `fooling resume`:
    it is paused."""
    if is_held(directory / "lock"):
        return State.RUNNING
    return _ENDINGS.get(ending.event, State.PAUSED)


def moment(text: str) -> datetime | None:
    """A time as manifests have it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
