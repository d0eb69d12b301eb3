"""What a file is, told by its bytes: users rename files, and clones and downloads leave other things in their
place. A wrong answer here costs a user an hour with an error that speaks of zips or protocol buffers."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from fooling.errors import InvalidError, NotFoundError
from fooling.first_look import Kind, expect, look

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 77\n"


def _saved(value: object, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def _script() -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Flatten(), torch.zeros(1, 2, 2)), buffer)
    return buffer.getvalue()


def _exported() -> bytes:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(torch.nn.Flatten(), (torch.zeros(2, 3, 4),)), buffer)
    return buffer.getvalue()


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


def _array(save: Any = np.save) -> bytes:
    buffer = io.BytesIO()
    save(buffer, np.zeros(3))
    return buffer.getvalue()


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (2, 2)).save(buffer, "PNG")
    return buffer.getvalue()


STATE = {"weight": torch.zeros(3)}


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    "data, kind",
    [
        (lambda: POINTER, Kind.LFS_POINTER),
        (lambda: b"/annex/objects/SHA256E-s12--ab.pth\n", Kind.ANNEX_POINTER),
        (lambda: b"\n  <!DOCTYPE html><html>404", Kind.WEB_PAGE),
        (lambda: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', Kind.WEB_PAGE),
        (lambda: b"", Kind.EMPTY),
        (lambda: safetensors.torch.save(STATE), Kind.SAFETENSORS),
        (lambda: safetensors.torch.save(STATE)[:40], Kind.SAFETENSORS),
        (lambda: _saved(STATE), Kind.TORCH),
        (lambda: _saved(STATE)[:300], Kind.DAMAGED),
        (lambda: _saved(STATE, _use_new_zipfile_serialization=False), Kind.OLD_TORCH),
        (_script, Kind.TORCHSCRIPT),
        (_exported, Kind.EXPORTED),
        (lambda: b"\x08\x08\x12\x07pytorch\x1a\x052.5.0:\x80", Kind.ONNX),
        (lambda: pickle.dumps({"model": {}}), Kind.PICKLE),
        (_array, Kind.ARRAY),
        (lambda: _array(np.savez), Kind.ARRAYS),
        (_png, Kind.IMAGE),
        (lambda: gzip.compress(b"weights"), Kind.COMPRESSED),
        (lambda: _zip("model/readme.txt"), Kind.ZIP),
        (lambda: "etwas Größeres\n".encode() * 500, Kind.TEXT),
        (lambda: b'{"error": "not found"}', Kind.TEXT),
        (lambda: struct.pack("<8Q", *range(8)), Kind.UNKNOWN),
    ],
)
def test_a_kind_is_told_by_the_bytes_whatever_the_name_says(tmp_path, data, kind):
    """A failure costs weights under an unusual name, which are refused."""
    for name in ("weights.safetensors", "model_best.pth.tar", "LAST"):
        (tmp_path / name).write_bytes(data())
        assert look(tmp_path / name) is kind


@pytest.mark.parametrize(
    "data, word", [(POINTER, "run git lfs pull"), (b"<html>no", "a web page"), (b"", "an empty file")]
)
def test_what_lies_in_the_place_of_a_file_is_refused_in_one_line(tmp_path, data, word):
    """A failure costs the user the reason: a reader would speak of damaged bytes."""
    (tmp_path / "0.png").write_bytes(data)
    with pytest.raises(InvalidError, match=f"0.png: expected an image, found .*{word}") as caught:
        expect(tmp_path / "0.png", "an image", Kind.IMAGE)
    assert "\n" not in str(caught.value)


def test_no_file_and_a_folder_are_told(tmp_path: Path):
    """A failure costs a mistyped path its name in the error."""
    for path, found in ((tmp_path / "no.pth", "no such file"), (tmp_path, "a folder")):
        with pytest.raises(NotFoundError, match=f"expected weights, found {found}"):
            expect(path, "weights", Kind.TORCH)
