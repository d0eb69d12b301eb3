"""Run directories as a stranger would hand them over: a small one, and ways to alter what is in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fooling.store import checkpoint

Header = dict[str, Any]


def copy_of(run: Path, folder: Path) -> Path:
    """A copy that a test may alter."""
    return Path(shutil.copytree(run, folder / "foreign"))


def unfinished(run: Path, folder: Path, **search: Any) -> Path:
    """A copy of a completed run as if it had been killed before its end: `resume` goes on with it, to what these
    settings of the search say."""
    copy = copy_of(run, folder)
    log = copy / "events.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    edit_manifest(copy, lambda manifest: manifest["config"]["search"].update(search or {"generations": 14}))
    return copy


def edit_manifest(run: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Let `change` alter the manifest in place."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def edit_checkpoint(run: Path, change: Callable[[Header, bytearray], Any]) -> None:
    """Let `change` alter header and content of the newest checkpoint in place, and make its digest right again. The
    state is a table in the header's metadata meanwhile."""
    path = checkpoint.saved(run / "checkpoints")[0]
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    content = bytearray(data[8 + length : -32])
    header["__metadata__"]["state"] = json.loads(header["__metadata__"]["state"])
    change(header, content)
    metadata = header.get("__metadata__")
    if isinstance(metadata, dict) and "state" in metadata:
        metadata["state"] = json.dumps(metadata["state"])
    text = json.dumps(header).encode()
    whole = len(text).to_bytes(8, "little") + text + bytes(content)
    path.write_bytes(whole + hashlib.sha256(whole).digest())


def edit_array(run: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Let `change` alter an array of the newest checkpoint in place."""
    import numpy as np

    types = {"F32": "<f4", "I32": "<i4", "I64": "<i8", "U8": "u1"}

    def put(header: Header, content: bytearray) -> None:
        entry = header[name]
        start, end = entry["data_offsets"]
        array = np.frombuffer(bytes(content[start:end]), types[entry["dtype"]]).reshape(entry["shape"]).copy()
        change(array)
        content[start:end] = array.tobytes()

    edit_checkpoint(run, put)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, by its relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
