"""A run directory as a zip that is made while it is sent: nothing is written, and no more than a block is in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fooling.errors import FoolingError
from fooling.untrusted import open_plain

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

_BLOCK = 2**18
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same run gives the same bytes


def zipped(directory: Path, name: str, view: Snapshot) -> Iterator[bytes]:
    """The blocks of the zip. Its logs end where the checkpoint knows them to end, so that it is a whole run directory
    also while the run goes on; its images are made from the checkpoint.

    Args:
        directory: of the run. Only files that a run directory has by format are read, and no links.
        name: of the folder in the zip.
        view: the run by a checkpoint.
    """
    from fooling.store import checkpoint, people
    from fooling.store.elites import elite_name, elite_text, encode

    generation, counters = view.counters.generation, view.counters
    files: list[tuple[str, int | None]] = [("manifest.json", None)]
    if generation >= 0:
        kept = checkpoint.path_of(Path("checkpoints"), generation)
        files += [
            (str(kept), None),
            ("events.jsonl", _ended(directory / "events.jsonl", view, counters.events_bytes)),
            ("lineage", counters.lineage_bytes),
        ]
    files.append((people.NAME, None))
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", allowZip64=True) as archive:
        for file, length in files:
            yield from _copied(archive, sink, directory / file, f"{name}/{file}", length)
        for number in np.flatnonzero(view.occupied).tolist():
            pixels = view.archive.pixels[view.stored_rows[number]]
            about = _about(f"{name}/elites/{elite_name(number)}", zipfile.ZIP_STORED)
            archive.writestr(about, encode(pixels, elite_text(view, number)))
            yield sink.taken()
        if generation < 0:
            for empty in ("events.jsonl", "lineage"):
                archive.writestr(_about(f"{name}/{empty}", zipfile.ZIP_STORED), b"")
        archive.writestr(_about(f"{name}/lock", zipfile.ZIP_STORED), b"")
    yield sink.taken()


def _ended(path: Path, view: Snapshot, length: int) -> int | None:
    """How much of the log belongs to the view: all of it where the run has ended with its newest checkpoint."""
    return None if view.status in ("completed", "interrupted") else length


def _copied(
    archive: zipfile.ZipFile, sink: _Sink, path: Path, name: str, length: int | None
) -> Iterator[bytes]:
    """A file, or its first `length` bytes, added to the zip."""
    try:
        source = open_plain(path)
    except (OSError, FoolingError):
        return  # a running writer has replaced the checkpoint meanwhile: the reader sees that it is missing
    left = length
    with source, archive.open(_about(name, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as target:
        while block := source.read(_BLOCK if left is None else min(_BLOCK, left)):
            target.write(block)
            left = None if left is None else left - len(block)
            yield sink.taken()


def _about(name: str, compression: int) -> zipfile.ZipInfo:
    about = zipfile.ZipInfo(name, _MOMENT)
    about.compress_type = compression
    about.external_attr = 0o644 << 16
    return about


class _Sink(io.RawIOBase):
    """Keeps what was written until it is taken. It can't seek, so the zip is written in one direction."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(memoryview(data))  # type: ignore[arg-type]
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        """What was written since the last time."""
        found = b"".join(self._parts)
        self._parts.clear()
        return found
