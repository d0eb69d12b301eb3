"""What is asked for, checked before it is taken: whatever can be told to be wrong without loading a model is told now."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from fooling.config import Settings, resolve
from fooling.errors import InvalidError, NotFoundError, did_you_mean
from fooling.files import json_bytes
from fooling.ready_made import DEFAULT_CONFIG, names
from fooling.search.settings import SingleClassSettings
from fooling.service.jobs.estimating import planned_images
from fooling.service.jobs.records import LONGEST, Submission, canonical
from fooling.service.jobs.work import run_flags
from fooling.studies import STUDIES
from fooling.untrusted import parse_model

_KEYS = ("config", "model", "seed", "set")


def submission_of(
    id: str, kind: str, request: Mapping[str, Any], label: str, directory_of: Callable[[str], str]
) -> Submission:
    """A request as it is kept.

    Args:
        directory_of: a run, by its id: relative to the root.

    Raises:
        InvalidError: it is no request for such a job.
        NotFoundError: there is no such kind, or no such config.
    """
    text = canonical([kind, dict(request), label])
    if len(text) > LONGEST // 2:
        raise InvalidError(f"the request: expected at most {LONGEST // 2:,} characters, found {len(text):,}")
    digest = hashlib.sha256(text.encode()).hexdigest()
    kept: dict[str, Any] = {
        "id": id,
        "kind": kind,
        "request": dict(request),
        "label": label,
        "digest": digest,
    }
    kept |= {"created": time.time(), "folder": os.getcwd()}
    kept |= _of_study(id, kind, request, directory_of) if kind != "run" else _of_run(id, request)
    # It is read again as it is written: whatever JSON can't keep, such as half of a surrogate pair, is told now.
    content = json_bytes(Submission(**kept).model_dump(mode="json"))
    return parse_model(Submission, content, "the request")


def _of_run(id: str, request: Mapping[str, Any]) -> dict[str, Any]:
    config, settings = settings_of(request)
    return {
        "directory": f"{_plain_name(config)}-seed{settings.seed}-{id[:8]}",
        "model": settings.model,
        "seed": settings.seed,
        "encoding": settings.encoding.name,
        "search": settings.search.name,
        "generations": _generations(settings),
        "evaluations": planned_images(settings, None),
    }


def _of_study(
    id: str, kind: str, request: Mapping[str, Any], directory_of: Callable[[str], str]
) -> dict[str, Any]:
    if kind not in STUDIES:
        kinds = ("run", *STUDIES)
        raise NotFoundError(
            f"no kind of job named {kind[:40]}: expected one of {', '.join(kinds)}{did_you_mean(kind, kinds)}"
        )
    runs = {run: directory_of(run) for run in named_runs(request)}
    return {"directory": f"{kind}-{id[:8]}", "runs": runs}


def named_runs(request: Mapping[str, Any]) -> list[str]:
    """The ids of runs in the request of a study."""
    several = request.get("runs", [])
    several = several if isinstance(several, list | tuple) else [several]
    return [str(id) for id in (*several, *([request["run"]] if "run" in request else []))]


def settings_of(request: Mapping[str, Any]) -> tuple[str, Settings]:
    """The config and the settings that a run would begin with.

    Raises:
        InvalidError, NotFoundError: a key that is none, a config that there isn't, or settings that are wrong.
    """
    for key in request:
        if key not in _KEYS:
            raise InvalidError(f"{key!r}: expected one of {', '.join(_KEYS)}{did_you_mean(key, _KEYS)}")
    config, given = request.get("config") or DEFAULT_CONFIG, request.get("set") or {}
    if not isinstance(config, str) or config not in names():
        raise NotFoundError(f"no config named {str(config)[:80]!r}{did_you_mean(str(config), names())}")
    if not isinstance(given, Mapping):
        raise InvalidError(f"set: expected keys and values, found {type(given).__name__}")
    return config, resolve(config, flags=run_flags(dict(request)))


def _generations(settings: Settings) -> int | None:
    """After the first; None where that depends on the classes of the model."""
    search = settings.search
    return None if isinstance(search, SingleClassSettings) else search.generations


def _plain_name(config: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", config).lstrip("-.")[:80] or "run"
