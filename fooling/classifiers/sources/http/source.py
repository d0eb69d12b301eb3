"""`http:spec.toml`: the spec opened, and a classifier whose network is a server."""

from __future__ import annotations

import json

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources.documents import read_description
from fooling.classifiers.sources.http.client import Client, RefusedError
from fooling.classifiers.sources.http.forms import Answer, confidences_of
from fooling.classifiers.sources.http.ledger import Ledger
from fooling.classifiers.sources.http.spec import Document
from fooling.classifiers.spec import LOGITS, Preprocessing, Spec, parse
from fooling.errors import InvalidError, did_you_mean
from fooling.files import user_path


def open_http(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier that the file describes. Nothing is sent.

    Raises:
        NotFoundError: the file, or one that it names, is not there.
        InvalidError: it says something wrong.
    """
    path = user_path(name)
    data, notes = read_description(path)
    tables = {key: data.pop(key) for key in Document.model_fields if key in data}
    spec = parse(Spec, {"output": "scores", **data}, str(path))
    document = parse(Document, tables, str(path))
    if problem := _problem(spec, document, numerics):
        raise InvalidError(f"{path}: {problem}")
    ledger = Ledger(path.parent / (document.answers or f"{path.stem}.answers"))
    client = Client(f"http:{name}", document, ledger, logits=spec.output in LOGITS)
    remote = Remote(f"http:{name}", client, spec, document)
    return Classifier(remote, spec, numerics, identity=remote.identity, notes=notes)


class Remote:
    """(rows, channels, height, width) in [0, 1] to (rows, classes): what a server says of these images, in 8 bits.

    Attributes:
        not_distributable: why it can't be asked from other processes, for messages.
    """

    not_distributable = (
        "expected none for a remote classifier, whose budget one process keeps: say how many requests "
        "it may have under way with pace.concurrency"
    )

    def __init__(self, name: str, client: Client, spec: Spec, document: Document) -> None:
        """`name` is what messages call it."""
        self._name, self._client, self._document = name, client, document
        self._classes = {label: index for index, label in enumerate(spec.labels)}
        self._logits, self._columns = spec.output in LOGITS, spec.columns

    def __call__(self, images: Tensor) -> Tensor:
        """Ask about every image that there is no answer of yet.

        Raises:
            OutOfAnswers: there is none to be had.
        """
        if torch.is_grad_enabled() and images.requires_grad:  # asked whether gradients reach them: they don't
            return torch.zeros(len(images), len(self._classes))
        pixels = images.mul(255.0).round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        rows = [self._row(answer) for answer in self._client.answers(np.ascontiguousarray(pixels))]
        return torch.from_numpy(np.stack(rows)).to(images.device)

    def _row(self, answer: Answer) -> NDArray[np.float32]:
        document = self._document
        try:
            return confidences_of(
                answer,
                self._classes,
                document.label_map,
                document.unknown == "ignore",
                logits=self._logits,
                columns=self._columns,
            )
        except InvalidError as error:  # the answer is kept: to mend the spec costs nothing
            raise RefusedError(f"{self._name}: {error}") from None

    @property
    def identity(self) -> str:
        """What tells it from others: what is asked, and what its labels are taken for."""
        said = [self._document.question.decode(), self._document.label_map, self._document.unknown]
        return json.dumps(said, sort_keys=True)


def _problem(spec: Spec, document: Document, numerics: Numerics) -> str:
    """What is wrong with a spec that is well-formed; "" where nothing is."""
    if spec.output in LOGITS and document.response.full != 1.0:
        return f"response.full: expected 1.0 for logits, found {document.response.full:g}"
    if spec.output == "logits":
        return 'expected output = "scores" or "probabilities", found "logits" (or "sigmoid", for logits of each class)'
    if spec.preprocessing != Preprocessing():
        return "expected no [preprocessing]: the server prepares its images itself"
    if len(set(spec.labels)) < len(spec.labels):
        return "expected labels that differ, found one twice"
    for label in document.label_map.values():
        if label not in spec.labels:
            return (
                f"label_map: expected labels of the spec, found {label!r}{did_you_mean(label, spec.labels)}"
            )
    if numerics.compiled:
        return "expected run.compile = false: there is no network here to compile"
    return ""
