"""Checking data from a user: the types of fields that several pydantic models share, and the first problem
that pydantic found, in one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fooling import sizes
from fooling.errors import InvalidError, did_you_mean

_Side = Annotated[int, Field(ge=1, le=sizes.LARGEST)]
# The type of a field that holds the size of an image. A list, as in TOML and JSON, is read as a pair.
ImageSize = Annotated[_Side | tuple[_Side, _Side], BeforeValidator(sizes.read)]

_WORDS = (
    ("Input should be greater", "expected a number greater"),
    ("Input should be less", "expected a number less"),
    ("Input should be ", "expected "),
    ("a valid integer", "an integer"),
    ("a valid tuple", "a list"),
    ("a valid ", "a "),
)
T = TypeVar("T")


def as_tuple(value: Any) -> Any:
    """A list as a tuple; all else as it is."""
    return tuple(value) if isinstance(value, list) else value


# A list, as everyone writes it, or a tuple, which is what is kept.
Many = Annotated[tuple[T, ...], BeforeValidator(as_tuple)]


class Strict(BaseModel):
    """Data that never changes; a wrong type, an unknown key, NaN or infinity is an error, never a guess."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Stored(Strict, extra="ignore"):
    """Strict data of a file, except that keys which a later version may have written are left out."""


class Record(Strict):
    """Strict data that Python code makes too: what is wrong comes as one line."""

    def __init__(self, **data: Any) -> None:
        """
        Raises:
            InvalidError: one line with the first thing that is wrong.
        """
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise InvalidError(f"{type(self).__name__}: {explain(error, type(self))}") from None

    # Records within records, and those of JSON, are still made by pydantic: only so does an error know its
    # path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


class Data(Record):
    """Data that goes out as JSON. Its fields have names that Python can have; JSON has their aliases."""

    model_config = ConfigDict(populate_by_name=True)

    def document(self) -> dict[str, Any]:
        """JSON-like data."""
        return self.model_dump(mode="json", by_alias=True)


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem: which key, what was expected, and what was found. For an unknown key, a near one is
    named."""
    problems = error.errors(include_url=False)
    # A required key that is misspelt is both unknown and missing; that it is unknown says more.
    problem = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
    kind, found, path = problem["type"], problem.get("input"), list(problem["loc"])
    if kind == "extra_forbidden":
        table, known = _walk(model, path[:-1])
        key = ".".join([*table, str(path[-1])])
        names = [".".join([*table, name]) for name in known]
        elsewhere = [name for name in _leaves(model) if not table and name.endswith(f".{key}")]
        if elsewhere:
            return f"{key} is not a key; did you mean {elsewhere[0]}?"
        return f"{key} is not a key" + (did_you_mean(key, names) or f"; known here: {', '.join(names)}")
    key = ".".join([*_walk(model, path)[0]])
    if kind == "missing":
        return f"expected {key}, which is not there"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tags = problem["ctx"].get("expected_tags", "").replace(", ", " or ").replace("'", "")
        name = found.get("name") if isinstance(found, dict) else found
        return f"{key}.name: expected {tags or 'a name'}, found {name!r}"
    message = problem["msg"].removeprefix("Value error, ")
    for theirs, ours in _WORDS:
        message = message.replace(theirs, ours)
    message = message[:1].lower() + message[1:]
    given = "" if kind == "value_error" else f", found {found!r}"[:120]
    if kind == "literal_error":
        given += _meant(found, problem["ctx"]["expected"])
    return f"{key}: {message}{given}" if key else message


def _meant(found: object, expected: str) -> str:
    """ "; did you mean NAME?" if a text is nearly one of the names in an enumeration like "'grey' or 'rgb'";
    else ""."""
    names = re.findall(r"'([^']*)'", expected)
    return did_you_mean(found.lower().replace("gray", "grey"), names) if isinstance(found, str) else ""


def _walk(model: type[BaseModel], path: Sequence[int | str]) -> tuple[list[str], list[str]]:
    """A path without the tags of unions, and the keys of the table at its end (none if a value is there)."""
    names: list[str] = []
    tables: list[type[BaseModel]] = [model]
    for part in path:
        if len(tables) > 1:  # a union, whose members are told apart by their `name`
            tables = [table for table in tables if table.model_fields["name"].default == part]
            continue
        field = tables[0].model_fields.get(str(part)) if tables else None
        tables = models_of(field.annotation) if field else []
        names.append(str(part))
    return names, list(tables[0].model_fields) if tables else []


def _leaves(model: type[BaseModel]) -> list[str]:
    """The dotted keys of the values in a model's tables."""
    return [
        f"{name}.{key}"
        for name, field in model.model_fields.items()
        for table in models_of(field.annotation)
        for key in table.model_fields
    ]


def models_of(annotation: Any) -> list[type[BaseModel]]:
    """The models in an annotation: one, several for a union, or none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in models_of(argument)]
