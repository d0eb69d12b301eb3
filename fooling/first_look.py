"""What kind of file a user has named, told from its bytes and never from its name.

Weights come as `model_best.pth.tar`, as `pytorch_model.bin` or without a suffix. Under any name there may be
a stand-in, which a download or a clone has left in the place of the file: a Git LFS pointer, the page of an
error, an empty file. Nothing is unpacked, and only the first few kilobytes and the list of names in a zip are
read.
"""

from __future__ import annotations

import zipfile
from enum import Enum
from pathlib import Path

from fooling.errors import InvalidError, NotFoundError

_BYTES = 4096  # how much of a file is read
_PARTS = 100_000  # how many names of a zip are looked at: more than any network has tensors


class Kind(Enum):
    """What a file is. The value is how an error describes it, with what can be done about it."""

    LFS_POINTER = "a Git LFS pointer, not the file itself: run git lfs pull, or download the file again"
    ANNEX_POINTER = "a git-annex pointer, not the file itself: run git annex get"
    WEB_PAGE = "a web page, perhaps a saved error: download the file itself"
    EMPTY = "an empty file: download it again"
    SAFETENSORS = "safetensors"
    TORCH = "a file written by torch.save"
    OLD_TORCH = "a file written by torch.save before torch 1.6"
    TORCHSCRIPT = "a TorchScript program, which program = FILE in [network] names"
    EXPORTED = "a torch.export program, which program = FILE in [network] names"
    ONNX = "an ONNX model"
    PICKLE = "a plain pickle, which can carry code: save its tensors with safetensors or torch.save"
    HDF5 = "an HDF5 file (Keras): convert it to ONNX, or to safetensors"
    TFLITE = "a TensorFlow Lite model: convert it to ONNX"
    GGUF = "a GGUF file: convert it to safetensors"
    ARRAY = "a numpy array (.npy)"
    ARRAYS = "numpy arrays (.npz)"
    IMAGE = "an image"
    TAR = "a tar archive: unpack it"
    COMPRESSED = "a compressed file: unpack it"
    DAMAGED = "a zip archive that is damaged or cut short: download it again"
    ZIP = "a zip archive of something else: unpack it"
    TEXT = "text"
    UNKNOWN = "bytes of a kind that is not known here"


# What may be in the place of a file. No reader wants these.
STAND_INS = (Kind.LFS_POINTER, Kind.ANNEX_POINTER, Kind.WEB_PAGE, Kind.EMPTY)

# Offset, bytes there, and the kind of file. torch.save before 1.6 began a file with the pickle of a number.
_MAGIC = (
    (0, b"version https://git-lfs.github.com/spec/", Kind.LFS_POINTER),
    (0, b"version https://hawser.github.com/spec/", Kind.LFS_POINTER),
    (0, b"/annex/objects/", Kind.ANNEX_POINTER),
    (2, b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", Kind.OLD_TORCH),
    (0, b"\x89HDF\r\n\x1a\n", Kind.HDF5),
    (4, b"TFL3", Kind.TFLITE),
    (0, b"GGUF", Kind.GGUF),
    (0, b"\x93NUMPY", Kind.ARRAY),
    (0, b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (0, b"\xff\xd8\xff", Kind.IMAGE),
    (0, b"GIF8", Kind.IMAGE),
    (8, b"WEBP", Kind.IMAGE),
    (257, b"ustar", Kind.TAR),
    (0, b"\x1f\x8b", Kind.COMPRESSED),
    (0, b"BZh", Kind.COMPRESSED),
    (0, b"\xfd7zXZ\x00", Kind.COMPRESSED),
    (0, b"\x28\xb5\x2f\xfd", Kind.COMPRESSED),
)
_PAGE = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<error")


def look(path: Path) -> Kind:
    """What a file is.

    Raises:
        NotFoundError: the file does not exist or can't be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_BYTES)
    except OSError as error:
        raise NotFoundError(f"{path}: expected a file, found none ({error.strerror})") from None
    if not start:
        return Kind.EMPTY
    for offset, magic, kind in _MAGIC:
        if start.startswith(magic, offset):
            return kind
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if start[8:9] == b"{":  # after the length of the header, which is below 2^40 even in a damaged file
        return Kind.SAFETENSORS if start[5:8] == bytes(3) else _text_or(Kind.UNKNOWN, start)
    if start[:1] == b"\x80" and start[1:2] in b"\x01\x02\x03\x04\x05":
        return Kind.PICKLE
    # A protocol buffer whose first field is the version of ONNX, and the second the producer, the graph or
    # the domain.
    if (
        start[:1] == b"\x08"
        and start[1:2] < b"\x40"
        and start[2:3] in (b"\x12", b"\x1a", b"\x22", b"\x3a", b"\x42")
    ):
        return Kind.ONNX
    return _text_or(Kind.UNKNOWN, start)


def expect(path: Path, wanted: str, *kinds: Kind) -> Kind:
    """What a file is, if that is one of `kinds`.

    Args:
        wanted: what the file is expected to be, for the error.

    Raises:
        NotFoundError: the file does not exist.
        InvalidError: it is something else; the line says what.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise NotFoundError(f"{path}: expected {wanted}, found {found}")
    if (kind := look(path)) not in kinds:
        raise InvalidError(f"{path}: expected {wanted}, found {kind.value}")
    return kind


def _zipped(path: Path) -> Kind:
    """The kind of a zip, from the names of the files in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] or name for name in archive.namelist()[:_PARTS]}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return Kind.DAMAGED
    if "constants.pkl" in names or any(name.startswith("code/") for name in names):
        return Kind.TORCHSCRIPT
    if "data.pkl" in names:
        return Kind.TORCH
    if any(name.endswith("archive_format") or "exported_program" in name for name in names):
        return Kind.EXPORTED
    return Kind.ARRAYS if names and all(name.endswith(".npy") for name in names) else Kind.ZIP


def _text_or(kind: Kind, start: bytes) -> Kind:
    """Kind.TEXT or Kind.WEB_PAGE if the first bytes of a file are UTF-8 text, whose last character may be
    cut; else `kind`."""
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE):
        return Kind.WEB_PAGE
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return kind
        text = start[: error.start].decode("utf-8")
    return (
        Kind.TEXT if all(character.isprintable() or character in "\t\r\n\f" for character in text) else kind
    )
