"""An image as the body of a request, and the JSON of an answer as labels and scores."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from urllib3 import encode_multipart_formdata

from fooling.classifiers.sources.http.secrets import filled
from fooling.classifiers.sources.http.spec import RequestTable, ResponseTable
from fooling.errors import InvalidError, did_you_mean

# What an answer says: pairs of label and score, of the top k or of all; or a score per label, in their order.
Answer = list[tuple[str, float]] | list[float]

_ROUNDING = 1e-4  # how far a score may lie above certainty


class MisreadError(ValueError):
    """An answer that does not look as the spec says."""


def body_of(image: NDArray[np.uint8], table: RequestTable) -> tuple[bytes, str]:
    """The body of a request and its content type.

    Args:
        image: (H, W, C) uint8.

    Raises:
        InvalidError: no place for the image in the body, or a secret that is not there.
    """
    png = _png(image)
    if table.form == "png":
        return png, "image/png"
    if table.form == "multipart":
        fields = {**filled(table.body), table.image: ("image.png", png, "image/png")}
        return encode_multipart_formdata(fields)
    document = filled(table.body)
    _put(document, table.image, table.prefix + base64.b64encode(png).decode())
    return json.dumps(document).encode(), "application/json"


def read(body: bytes, table: ResponseTable, logits: bool = False) -> Answer:
    """What an answer says, its scores in [0, 1]; or, where they are logits, as they are.

    Raises:
        ValueError: no JSON. MisreadError: other JSON than expected.
    """
    document = json.loads(body, parse_constant=_refuse_constant)

    def score_of(value: Any) -> float:
        return _number(value) if logits else _score(value, table)

    found = _at(document, table.place)
    if table.items is not None:
        items = _list(found, table.place)
        return [(_label(_at(item, table.label)), score_of(_at(item, table.score))) for item in items]
    if table.labels is not None:
        labels = _list(_at(document, table.labels), table.labels)
        if len(labels) != len(_list(found, table.place)):
            raise MisreadError(f"expected as many scores as labels, found {len(found)} and {len(labels)}")
        return [(_label(label), score_of(score)) for label, score in zip(labels, found, strict=True)]
    if isinstance(found, dict):
        return [(label, score_of(score)) for label, score in found.items()]
    if isinstance(found, int | float):  # the one number of a service that knows one class
        return [score_of(found)]
    if not _list(found, table.place):
        raise MisreadError(f"expected a score per label at {table.place}, found none")
    return [score_of(score) for score in found]


def confidences_of(
    answer: Answer,
    classes: Mapping[str, int],
    label_map: Mapping[str, str],
    ignore_unknown: bool,
    *,
    logits: bool = False,
    columns: tuple[int, ...] = (),
) -> NDArray[np.float32]:
    """(K,) float32: an answer as confidences, or logits. Of labels that mean the same class the highest counts.

    Args:
        classes: the spec's labels and their indices.
        label_map: the server's labels and the spec's.
        logits: the scores are these: of every label; else a label that the answer leaves out has 0.
        columns: how many numbers without labels there may be, where not only one per class (`Spec.columns`).

    Raises:
        InvalidError: a label that is none of the spec's, or another number of scores than of labels.
    """
    if answer and isinstance(answer[0], float):
        if len(answer) not in (len(classes), *columns):
            raise InvalidError(f"expected a score for each of {len(classes)} labels, found {len(answer)}")
        return np.array(answer, np.float32)
    row = np.full(len(classes), -np.inf, np.float32)
    for label, score in answer:  # type: ignore[misc]
        index = classes.get(label_map.get(label, label))
        if index is not None:
            row[index] = max(row[index], score)
        elif not ignore_unknown:
            near = did_you_mean(label, classes)
            raise InvalidError(
                f"expected labels of the spec, found {label!r}{near}; add it, give it a place in [label_map], "
                'or say unknown = "ignore"'
            )
    missing = row == -np.inf
    if logits and missing.any():
        label = next(label for label, index in classes.items() if missing[index])
        raise InvalidError(f"expected a logit of every label, found none of {label!r}")
    row[missing] = 0.0
    return row


def stored(answer: Answer) -> str:
    """An answer as text; `restored` is the inverse."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def restored(text: str) -> Answer:
    """An answer from its text."""
    return [part if isinstance(part, float) else (part[0], part[1]) for part in json.loads(text)]  # type: ignore[return-value]


def _png(image: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, "PNG")
    return file.getvalue()


def _put(document: Any, path: str, value: str) -> None:
    """Set what a dotted path leads to; tables that are not there are made."""
    *steps, last = path.split(".")
    node = document
    try:
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
        node[int(last) if isinstance(node, list) else last] = value
    except (AttributeError, TypeError, ValueError, IndexError):
        raise InvalidError(
            f"expected a place for the image at {path} in the request's body, found none"
        ) from None


def _at(document: Any, path: str) -> Any:
    """What a dotted path leads to."""
    node = document
    for step in path.split("."):
        try:
            node = node[int(step)] if isinstance(node, list) else node[step]
        except (KeyError, TypeError, ValueError, IndexError):
            raise MisreadError(f"expected {step!r} (of {path}), found {_shown(node)}") from None
    return node


def _list(value: Any, path: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise MisreadError(f"expected a list at {path}, found {_shown(value)}")
    return value


def _label(value: Any) -> str:
    if not isinstance(value, str):
        raise MisreadError(f"expected a label, found {_shown(value)}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise MisreadError(f"expected a score, found {_shown(value)}")
    return float(value)


def _score(value: Any, table: ResponseTable) -> float:
    score = _number(value) / table.full
    if not 0 <= score <= 1 + _ROUNDING:
        raise MisreadError(f"expected scores from 0 to {table.full:g} (response.full), found {value:g}")
    return min(score, 1.0)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _refuse_constant(name: str) -> NoReturn:
    raise MisreadError(f"expected numbers, found {name}")
