"""The same run in other words: as a config in TOML, and as a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from fooling.config import Settings
from fooling.ready_made import DEFAULT_CONFIG
from fooling.service.schema import RunRequest

# Said in any case: what a reader of a config looks for first.
_ALWAYS = frozenset({"name", "generations", "population", "steps", "evaluations"})
_TABLES = ("classifier", "encoding", "search", "stop", "run")


def config_of(settings: Settings) -> str:
    """The settings as a config: whatever is not as it is by default, and what one looks for first."""
    lines = [f"model = {_toml(settings.model)}", f"seed = {settings.seed}"]
    for table in _TABLES:
        if values := list(_told(getattr(settings, table))):
            lines += ["", f"[{table}]", *(f"{name} = {_toml(value)}" for name, value in values)]
    return "\n".join(lines) + "\n"


def command_of(request: RunRequest) -> str:
    """The command that launches the same run."""
    parts = ["fooling", "run", request.config or DEFAULT_CONFIG]
    if request.model is not None:
        parts += ["--model", request.model]
    if request.seed is not None:
        parts += ["--seed", str(request.seed)]
    for key, value in request.set.items():
        parts += ["--set", f"{key}={value if _is_word(value) else _toml(value)}"]
    return shlex.join(parts)


def _told(table: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of a table that have to be said."""
    assert isinstance(table, BaseModel)
    profile = {"profile": table.profile} if hasattr(table, "profile") else {}
    usual = {
        name: field.default for name, field in type(table).model_fields.items() if not field.is_required()
    }
    if profile:  # which sets other defaults
        usual = {**dict(type(table)(**profile)), "profile": type(table).model_fields["profile"].default}
    values = dict(table)
    for name in sorted(values, key=lambda name: name != "name"):
        value = values[name]
        if value is not None and (name in _ALWAYS or value != usual.get(name)):
            yield name, value


def _is_word(value: Any) -> bool:
    """Whether `--set` reads a value as the text that it is, without quotes."""
    return (
        isinstance(value, str)
        and value.replace("-", "").isalpha()
        and value not in ("true", "false", "inf", "nan")
    )


def _toml(value: Any) -> str:
    """A value in TOML, which writes texts, numbers and lists as JSON does, but for the character that JSON leaves alone."""
    return json.dumps(list(value) if isinstance(value, tuple) else value).replace("\x7f", "\\u007f")
