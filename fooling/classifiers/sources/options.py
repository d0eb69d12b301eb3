"""What may follow the name in a model SPEC: `NAME?weights=FILE&labels=FILE&output=KIND&view=whole`.

weights     a file of weights, instead of those that the makers offer for download
key         where in that file the weights lie, if it holds several networks
labels      a file of labels, for weights of one's own: one per line, or another form (`fooling.datasets.label_files`)
output      what the network puts out, where that is not what its source says: "sigmoid", say
view        "input": images are what the network sees (the default); "whole": they are what the makers'
            pipeline begins with, a whole photograph of that aspect ratio, and its resize and crop follow

In values, %26 stands for & and %25 for %, as in addresses of the web.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import unquote

from fooling.classifiers.spec import Output
from fooling.datasets.label_files import read_labels
from fooling.errors import InvalidError, did_you_mean
from fooling.files import user_path

View = Literal["input", "whole"]


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        weights: a file, or None.
        key: where in the file of weights the network lies, or None.
        labels: what the file of labels holds, or None.
        output: what the network puts out, or None.
        view: what the images are.
        wordnet: the WordNet ids that the file of labels holds, or None.
        notes: what should be said about that file.
    """

    weights: Path | None = None
    labels: tuple[str, ...] | None = None
    output: Output | None = None
    view: View = "input"
    key: str | None = None
    wordnet: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def split(origin: str, name: str, allowed: tuple[str, ...]) -> tuple[str, Options]:
    """The name without its options, and the options.

    Args:
        origin: the whole SPEC, for errors.
        allowed: names of the options that the source knows.

    Raises:
        InvalidError: an unknown option, or a value that it can't have.
        NotFoundError: no such file of labels.
    """
    name, mark, text = name.partition("?")
    given: dict[str, str] = {}
    for pair in text.split("&") if mark else ():
        key, equals, value = pair.partition("=")
        if key not in allowed:
            raise InvalidError(
                f"{origin}: expected {' or '.join(f'{option}=...' for option in allowed)} after the ?, "
                f"found {pair!r}{did_you_mean(key, allowed)}"
            )
        if not equals or not value:
            raise InvalidError(f"{origin}: expected a value: {key}=...")
        given[key] = unquote(value)
    view = given.get("view", "input")
    if view not in get_args(View):
        raise InvalidError(f"{origin}: expected view=input or view=whole, found view={view}")
    output = given.get("output")
    if output is not None and output not in get_args(Output):
        kinds = " or ".join(f"output={kind}" for kind in get_args(Output))
        raise InvalidError(f"{origin}: expected {kinds}, found output={output}")
    found = read_labels(user_path(given["labels"])) if "labels" in given else None
    weights = user_path(given["weights"]) if "weights" in given else None
    return name, Options(
        weights,
        found.labels if found else None,
        cast(Output | None, output),
        cast(View, view),
        given.get("key"),
        found.wordnet if found else None,
        found.notes(given["labels"]) if found else (),
    )


def require_weights(options: Options, origin: str) -> None:
    """
    Raises:
        InvalidError: labels or a key, which are for weights of the user's own, without those.
    """
    for key in ("labels", "key"):
        if getattr(options, key) is not None and options.weights is None:
            raise InvalidError(f"{origin}: {key}=... is for weights of your own: expected weights=FILE too")
