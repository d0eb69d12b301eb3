"""Models in the form of transformers: a folder with `config.json`, weights in safetensors and a description of
the preprocessing. It is on this machine, or a snapshot of a repository of the Hugging Face hub.

What is loaded is looked at: weights that are missing from the file, and would quietly be random, are refused.
"""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import nn

from fooling.classifiers.sources.extras import need, one_line
from fooling.errors import InvalidError, NotFoundError
from fooling.files import read_text, user_path
from fooling.first_look import Kind, expect

_log = logging.getLogger("fooling.classifiers")
_REPOSITORY = re.compile(r"\w[\w.-]*(?:/[\w.-]+)?")
_PATIENCE = 5.0  # seconds until the hub has answered
_DATA = ("*.json", "*.safetensors", "*.txt", "*.model")


@dataclass(frozen=True)
class Folder:
    """Where a model lies.

    Attributes:
        path: of the folder.
        name: of the folder, or the repository.
        source: "REPOSITORY@COMMIT" of the hub; None for a folder of the user's.
    """

    path: Path
    name: str
    source: str | None


def find(reference: str, origin: str, *, within: Path | None = None, code: bool = False) -> Folder:
    """The folder that "FOLDER" or "REPOSITORY[@REVISION]" names; a repository is downloaded once.

    Args:
        origin: the SPEC or file that names it, for errors.
        within: folder that relative paths start from; None: the current one.
        code: whether Python files are wanted too.

    Raises:
        NotFoundError: no such folder, or a repository that can't be downloaded.
    """
    path = (within or Path()) / user_path(reference)
    if path.is_dir():
        return Folder(path, path.resolve().name, None)
    repository, _, revision = reference.partition("@")
    if not _REPOSITORY.fullmatch(repository):
        raise NotFoundError(
            f"{origin}: expected a folder or OWNER/NAME[@REVISION] of the hub, found {reference!r}"
        )
    hub = need("huggingface_hub", origin)
    try:
        with offline_unless_reachable(origin):
            found = hub.snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=[*_DATA, *(["*.py"] if code else [])],
                ignore_patterns=["*/*"],  # the same weights in other forms
            )
    except Exception as error:
        raise NotFoundError(
            f"{origin}: there is no folder {reference}, and it could not be got from the hub "
            f"({one_line(error)}); download it on another machine and name its folder"
        ) from None
    snapshot = Path(found)
    _log.debug("%s: uses the snapshot %s of the hub", origin, snapshot)
    return Folder(snapshot, repository, f"{repository}@{snapshot.name}")


@contextmanager
def offline_unless_reachable(origin: str, needed: bool = True) -> Iterator[None]:
    """Where the hub does not answer a first short call, what was downloaded before is used in the block, and for
    anything else the hub's own client says at once that it is offline. Else it tries again for a minute.

    Args:
        needed: whether the hub is asked at all.
    """
    constants = need("huggingface_hub", origin).constants if needed else None
    if constants is None or constants.HF_HUB_OFFLINE or getproxies() or _answers(constants.ENDPOINT):
        yield
        return
    _log.warning("%s: the hub does not answer: only what was downloaded before can be used", origin)
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = False


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    try:
        port = parts.port or (80 if parts.scheme == "http" else 443)
        socket.create_connection((parts.hostname or "", port), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True


def read_json(folder: Folder, name: str, origin: str) -> dict[str, Any]:
    """One of the folder's JSON files.

    Raises:
        NotFoundError: it has no such file.
        InvalidError: not JSON, or no keys.
    """
    file = folder.path / name
    if not file.is_file():
        raise NotFoundError(f"{origin}: expected {name} in {folder.path}, found none")
    text = read_text(file, "a JSON file")
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InvalidError(f"{file}: expected JSON: {one_line(error)}") from None
    if not isinstance(data, dict):
        raise InvalidError(f"{file}: expected keys and values, found {type(data).__name__}")
    return data


def load(kind: str, folder: Folder, origin: str, *, trust: bool = False) -> nn.Module:
    """The network in a folder, float32, in eval mode, without gradients of its own.

    Args:
        kind: a class of transformers.
        trust: whether code that lies with the weights may run.

    Raises:
        InvalidError: no safetensors, weights that are damaged, missing or do not fit.
    """
    files = sorted(folder.path.glob("*.safetensors"))
    for file in files:
        expect(file, "weights in safetensors", Kind.SAFETENSORS)
    if not files:
        raise InvalidError(
            f"{origin}: expected weights in safetensors in {folder.path}, found none; other forms are pickles, "
            "which can carry code: save it anew with save_pretrained"
        )
    transformers = need("transformers", origin)
    try:
        model = getattr(transformers, kind)
    except Exception as error:  # it imports torchvision wherever that is installed
        raise InvalidError(
            f"{origin}: transformers does not import here ({one_line(_root(error))}): "
            "install torch and torchvision from the same index"
        ) from None
    try:
        with _without_progress(transformers):
            network, report = model.from_pretrained(
                folder.path,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=trust,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as error:
        raise InvalidError(f"{origin}: transformers can't load it: {one_line(_root(error))}") from None
    if missing := sorted(report["missing_keys"]):
        raise InvalidError(
            f"{origin}: expected all weights of {type(network).__name__}, found none for {missing[0]!r}"
            f"{f' and {len(missing) - 1} more' if missing[1:] else ''}: is it that kind of model?"
        )
    return network.eval().requires_grad_(False)


def _root(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _root(error.__cause__)


@contextmanager
def _without_progress(transformers: Any) -> Iterator[None]:
    """transformers shows a bar for the reading of every file."""
    bars = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()
