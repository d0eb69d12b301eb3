"""Writes docs/settings.md from the models that validate the settings: `python docs/settings.py`."""

from __future__ import annotations

import json
import typing
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from fooling.config import ClassifierSettings, RunSettings, Settings, StopSettings
from fooling.encodings.settings import PROFILES, CppnSettings, DirectSettings
from fooling.search.settings import (
    BreedSettings,
    GradientAscentSettings,
    MapElitesSettings,
    SingleClassSettings,
)

HEAD = """# Settings

Written by `python docs/settings.py` from the models that validate them; don't edit.

Layers, later ones winning: defaults < profile < file < environment (`FOOLING__SEARCH__GENERATIONS=60`) <
`--set search.generations=60` < flags. A run's manifest keeps every resolved value.
"""


def page() -> str:
    """The page's text."""
    parts = [
        HEAD,
        "## Top level\n",
        _table(Settings, skip=("classifier", "encoding", "search", "stop", "run")),
    ]
    for title, model in (
        ("[classifier]", ClassifierSettings),
        ('[encoding] with name = "cppn"', CppnSettings),
        ('[encoding] with name = "direct"', DirectSettings),
        ('[search] with name = "map-elites"', MapElitesSettings),
        ('[search] with name = "gradient-ascent"', GradientAscentSettings),
        ('[search] with name = "single-class"', SingleClassSettings),
        ('[search] with name = "breed"', BreedSettings),
        ("[stop]", StopSettings),
        ("[run]", RunSettings),
    ):
        parts += [f"## {title}\n", (model.__doc__ or "").strip() + "\n", _table(model)]
    parts.append("## What the profiles set\n")
    parts.append("Anything that is set elsewhere wins. See [encodings](encodings.md) for the reasons.\n")
    rows = [
        f"| {encoding} | {profile} | {', '.join(f'`{k} = {json.dumps(v)}`' for k, v in values.items()) or '-'} |"
        for encoding, profiles in PROFILES.items()
        for profile, values in profiles.items()
    ]
    parts.append("\n".join(["| encoding | profile | sets |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _table(model: type[BaseModel], skip: tuple[str, ...] = ()) -> str:
    rows = ["| key | type | default | |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name not in skip:
            default = "" if field.default in (None, PydanticUndefined) else f"`{json.dumps(field.default)}`"
            rows.append(f"| `{name}` | {_kind(field.annotation)} | {default} | {field.description or ''} |")
    return "\n".join(rows) + "\n"


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is typing.Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    arguments = [a for a in get_args(annotation) if a is not type(None) and a is not Ellipsis]
    if get_origin(annotation) in (tuple, list):
        return "list of " + _kind(arguments[0])
    if arguments:
        return " or ".join(_kind(a) for a in arguments)
    return {"str": "text", "int": "integer", "float": "number"}.get(annotation.__name__, annotation.__name__)


if __name__ == "__main__":
    Path(__file__).with_name("settings.md").write_text(page())
