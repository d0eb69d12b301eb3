"""The settings of a run as a form shows them: taken from the models that validate them and from the list of what a request
may set, so that a setting that is new is in the form as soon as requests may have it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

from fooling.config import Settings
from fooling.service.permitted import ALLOWED
from fooling.service.schema import Answer, Scalar
from fooling.validation import models_of

Value = Scalar | list[Scalar] | None
Kind = Literal["integer", "number", "switch", "choice", "text"]
_ELSEWHERE = frozenset({"breed"})  # searches that have a page of their own
_LARGEST = 2**53 - 1  # of the integers that a browser has exactly


class Field(Answer):
    """A setting.

    Attributes:
        key: like "search.generations".
        table: the first part of the key.
        within: the encoding or search that has it; null: any.
        about: what it means.
        kind: how it is given; "text" is TOML, a list of numbers say.
        choices: what a choice may be.
        minimum, maximum: of a number, both included; null: see `about`, or what the server says.
        default: where nothing else is said; null: it depends on the classifier.
    """

    key: str
    table: str
    within: str | None
    title: str
    about: str
    kind: Kind
    choices: list[str]
    minimum: float | None
    maximum: float | None
    default: Value


class Variant(Answer):
    """An encoding, or a search."""

    table: str
    name: str
    about: str


@lru_cache(maxsize=1)
def fields() -> tuple[Field, ...]:
    """All settings that a request may have, but for the names of encoding and search, in the order of the models."""
    return tuple(_fields())


@lru_cache(maxsize=1)
def variants() -> tuple[Variant, ...]:
    """The encodings and the searches."""
    return tuple(
        Variant(table=table, name=name, about=_sentence(inspect.getdoc(model) or ""))
        for table, name, model in _tables()
        if name is not None
    )


def _tables() -> Iterator[tuple[str, str | None, Any]]:
    """Name of a table, name of its variant, model."""
    for table, field in Settings.model_fields.items():
        models = models_of(field.annotation)
        for model in models:
            name = model.model_fields["name"].default if len(models) > 1 else None
            if name not in _ELSEWHERE:
                yield table, name, model


def _fields() -> Iterator[Field]:
    for key in ("seed",):
        schema = Settings.model_json_schema()["properties"][key]
        yield _field(key, key, None, schema)
    for table, within, model in _tables():
        for name, schema in model.model_json_schema()["properties"].items():
            key = f"{table}.{name}"
            if key in ALLOWED and name != "name":
                yield _field(key, table, within, schema)


def _field(key: str, table: str, within: str | None, schema: dict[str, Any]) -> Field:
    parts = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    kind, choices = _kind(parts)
    part = parts[0] if len(parts) == 1 else {}
    largest = part.get("maximum", part.get("exclusiveMaximum"))
    return Field(
        key=key,
        table=table,
        within=within,
        title=key.rpartition(".")[2].replace("_", " ").capitalize(),
        about=_sentence(schema.get("description", "")),
        kind=kind,
        choices=choices,
        minimum=part.get("minimum"),
        maximum=min(largest, _LARGEST) if kind == "integer" and largest is not None else part.get("maximum"),
        default=schema.get("default"),
    )


def _kind(parts: list[dict[str, Any]]) -> tuple[Kind, list[str]]:
    part = parts[0]
    if len(parts) > 1:
        return "text", []
    if "enum" in part or "const" in part:
        return "choice", [str(value) for value in part.get("enum", [part.get("const")])]
    kinds: dict[str, Kind] = {"integer": "integer", "number": "number", "boolean": "switch"}
    return kinds.get(part.get("type", ""), "text"), []


def _sentence(text: str) -> str:
    """The first paragraph, as a sentence."""
    first = " ".join(text.split("\n\n")[0].split())
    return first[:1].upper() + first[1:] + ("" if first.endswith(".") else ".")
