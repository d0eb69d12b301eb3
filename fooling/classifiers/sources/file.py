"""`file:spec.toml`: a network described in a TOML (or JSON) file, everything it names beside it.

The keys are those of `Spec`; `labels`, `wordnet` and `groups` may also name files; and one of two tables
says where the outputs come from:

    [network]   architecture and weights, or program
    [ensemble]  members and combination

`[expected]` and `[provenance]` are what `fooling train` adds: confidences on the synthetic batch, and how
the network was made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from fooling.classifiers import architectures, checkpoints, weights_files
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.modules import expect_initialised
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources import program
from fooling.classifiers.sources.documents import read_description, read_mean_image
from fooling.classifiers.sources.ensemble import Ensemble, described
from fooling.classifiers.sources.python import build
from fooling.classifiers.spec import LOGITS, Spec, parse
from fooling.errors import InvalidError
from fooling.files import user_path
from fooling.sizes import colour_of, to_text
from fooling.validation import Record


class NetworkTable(Record):
    """Weights with an architecture, or a program that holds both."""

    architecture: Annotated[
        str | None,
        Field(description="built-in architecture, or module:callable (--trust) that makes the module"),
    ] = None
    arguments: Annotated[dict[str, Any], Field(description="keyword arguments of the callable")] = {}  # noqa: RUF012 (pydantic copies it)
    weights: Annotated[
        str | None, Field(description="a file of safetensors or torch.save, with a state dict in it")
    ] = None
    key: Annotated[
        str | None, Field(description="where in that file the weights lie, if there are several networks")
    ] = None
    program: Annotated[str | None, Field(description="a file of torch.export or TorchScript (--trust)")] = (
        None
    )
    sha256: Annotated[
        str | None, Field(description="of the weights or program file; refused if it differs")
    ] = None


class EnsembleTable(Record):
    """Several classifiers as one."""

    members: Annotated[tuple[str, ...], Field(min_length=2, description="model SPECs; file: paths from here")]
    combination: Annotated[Literal["mean", "minimum"], Field(description="of the confidences")] = "mean"


class ExpectedTable(Record):
    """What the network is known to say."""

    confidences: Annotated[
        tuple[tuple[float, ...], ...], Field(description="on the synthetic batch: a row per image")
    ]


class Document(Record):
    """The tables of a file that are not the spec's."""

    network: NetworkTable | None = None
    ensemble: EnsembleTable | None = None
    expected: ExpectedTable | None = None
    provenance: Annotated[dict[str, Any], Field(default_factory=dict)]


def open_file(name: str, numerics: Numerics, trust: bool, within: tuple[Path, ...] = ()) -> Classifier:
    """The classifier that the file describes.

    Args:
        within: the files of the ensembles that this one is a member of.

    Raises:
        NotFoundError: the file, or one that it names, is not there.
        InvalidError: it says something wrong, or needs trust.
    """
    path = user_path(name)
    if path.resolve() in within:
        raise InvalidError(f"{path}: expected an ensemble of other networks, but it is a member of itself")
    data, said = read_description(path)
    tables = {key: data.pop(key) for key in Document.model_fields if key in data}
    document = parse(Document, tables, str(path))
    table, ensemble = document.network, document.ensemble
    if ensemble is not None and table is None:
        members = _members(path, ensemble, numerics, trust, within)
        return _ensemble(path, ensemble, members, data, said, numerics)
    if table is None or ensemble is not None:
        raise InvalidError(f"{path}: expected a table [network] or a table [ensemble], one of the two")
    spec = parse(Spec, data, str(path))
    _verify_digest(path, table)
    network, identity, notes = _network(path, table, spec, trust)
    return Classifier(
        network,
        spec,
        numerics,
        mean_image=read_mean_image(path, spec),
        identity=identity,
        expected=_expected(path, document.expected, spec),
        notes=(*said, *notes),
    )


def _network(
    path: Path, table: NetworkTable, spec: Spec, trust: bool
) -> tuple[nn.Module, str, tuple[str, ...]]:
    """The module, what its fingerprint holds besides its tensors, and notes."""
    if table.program is not None and table.weights is None:
        return (*program.read(path.parent / table.program, trust), ())
    if table.weights is None or table.program is not None:
        raise InvalidError(
            f"{path}: [network] expected weights (with an architecture) or a program, one of the two"
        )
    if table.architecture is None:
        raise InvalidError(f"{path}: [network] expected an architecture for {table.weights}")
    if ":" in table.architecture:
        module = build(table.architecture, path.parent, trust, **table.arguments)
        if not isinstance(module, nn.Module):
            raise InvalidError(
                f"{path}: expected {table.architecture} to return a torch.nn.Module, "
                f"found {type(module).__name__}"
            )
        expect_initialised(module, spec)
    else:
        module = _builtin(path, table.architecture, spec)
    origin = str(path.parent / table.weights)
    state = weights_files.read(path.parent / table.weights)
    state, notes = checkpoints.network_in(state, module.state_dict(), origin, table.key)
    return weights_files.fit(module, state, origin), table.architecture, notes


def _builtin(path: Path, name: str, spec: Spec) -> nn.Module:
    architecture = architectures.find(name)
    seen = (spec.input_size, colour_of(spec.input_channels))
    if seen != (architecture.size, architecture.colour):
        raise InvalidError(
            f"{path}: expected {name} to see {architecture.colour} images of {to_text(architecture.size)} "
            f"pixels, found {seen[1]} of {to_text(spec.input_size)}"
        )
    return architecture.empty(len(spec.labels))


def _members(
    path: Path, table: EnsembleTable, numerics: Numerics, trust: bool, within: tuple[Path, ...]
) -> list[Classifier]:
    from fooling.classifiers.sources import load  # which knows this source

    opened = []
    for member in table.members:
        source, _, name = member.partition(":")
        if source == "file":
            opened.append(open_file(str(path.parent / name), numerics, trust, (*within, path.resolve())))
        else:
            opened.append(load(member, numerics=numerics, trust=trust))
    return opened


def _ensemble(
    path: Path,
    table: EnsembleTable,
    members: list[Classifier],
    data: dict[str, Any],
    notes: tuple[str, ...],
    numerics: Numerics,
) -> Classifier:
    if (kind := data.get("output")) in LOGITS:
        raise InvalidError(
            f'{path}: an ensemble puts out its members\' confidences: expected no output = "{kind}"; leave it out'
        )
    spec = parse(Spec, {**described(members, table.combination, set(data)), **data}, str(path))
    ensemble = Ensemble(members, table.combination)
    return Classifier(ensemble, spec, numerics, identity=ensemble.identity, notes=notes)


def _verify_digest(path: Path, table: NetworkTable) -> None:
    name = table.weights or table.program
    if table.sha256 is None or name is None or not (file := path.parent / name).is_file():
        return
    if (found := weights_files.sha256(file)) != table.sha256:
        raise InvalidError(
            f"{file}: expected SHA-256 {table.sha256[:12]}..., found {found[:12]}...: the file was altered"
        )


def _expected(path: Path, table: ExpectedTable | None, spec: Spec) -> NDArray[np.float32] | None:
    if table is None:
        return None
    if any(len(row) != len(spec.labels) for row in table.confidences):
        raise InvalidError(
            f"{path}: [expected] expected rows of {len(spec.labels)} confidences, one per label"
        )
    return np.array(table.confidences, np.float32)
