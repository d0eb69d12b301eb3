"""The run directory: made whole, locked by its writer, readable by anyone.

manifest.json   what the run is: resolved config, seed, classifier, numerics, versions
checkpoints/    the newest two checkpoints
events.jsonl    one object a line: generations, resumes, warnings, the end
lineage         where every elite came from (`fooling.archive.lineage`)
elites/         NNNN.png by class index: exactly the pixels that were classified
nan.png         the first image that the classifier had no confidence for, where there was one
people.jsonl    what people saw in the elites, where they were asked (`fooling.store.people`)
gallery.html    the elites to look at, written at the end
logs/           what the workers printed, where Ray computes it
lock            held by the process that writes
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fooling.errors import FoolingError, InvalidError, NotFoundError, naming_write_errors
from fooling.files import json_bytes, replacing, sync_directory
from fooling.store import manifest
from fooling.store.spec import RunSpec
from workers.processes import is_alive


@dataclass(frozen=True)
class RunDirectory:
    """The places in a run directory."""

    path: Path

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def lineage(self) -> Path:
        return self.path / "lineage"

    @property
    def elites(self) -> Path:
        return self.path / "elites"

    @property
    def gallery(self) -> Path:
        return self.path / "gallery.html"

    @property
    def nan(self) -> Path:
        return self.path / "nan.png"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def lock(self) -> Path:
        return self.path / "lock"


def expect_free(path: Path) -> None:
    """Refuse a name that is taken.

    Raises:
        FoolingError: there is something of that name.
    """
    path = path.absolute()
    if path.exists():
        raise FoolingError(
            f"{path} exists; give another --out, or continue that run with: fooling resume {path}"
        )


def create(path: Path, spec: RunSpec) -> RunDirectory:
    """Make a run directory. It appears under its name at once and whole.

    Raises:
        FoolingError: the name is taken, or the place can't be written.
        InvalidError: its manifest could not be read again.
    """
    expect_free(path)
    path = path.absolute()
    content = json_bytes(manifest.document(spec))
    manifest.parse(content, RunDirectory(path).manifest, path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        temporary.mkdir()
        inside = RunDirectory(temporary)
        inside.checkpoints.mkdir()
        inside.elites.mkdir()
        for empty in (inside.events, inside.lineage, inside.lock):
            empty.touch()
        with replacing(inside.manifest, durable=True) as file:
            file.write(content)
        os.rename(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise FoolingError(f"can't make the run directory {path}: {error.strerror or error}") from None
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return RunDirectory(path)


def open_directory(path: Path) -> tuple[RunDirectory, RunSpec]:
    """An existing run directory and what its run is.

    Raises:
        NotFoundError: there is nothing of that name.
        InvalidError: it is no run directory, is damaged, or is of a newer format.
    """
    directory = RunDirectory(path.absolute())
    if not path.exists():
        raise NotFoundError(f"no run directory {path}")
    spec = manifest.read(directory.manifest, path)
    refuse_links(directory)
    return directory, spec


def refuse_links(directory: RunDirectory) -> None:
    """Refuse a directory with anything in it but files and folders: what is written to a link lands elsewhere.

    Raises:
        InvalidError: there is a link, a pipe or a device in it, or a file where a folder belongs, or the reverse.
    """
    folders = (directory.checkpoints, directory.elites, directory.logs)
    files = (directory.manifest, directory.events, directory.lineage, directory.lock)
    try:
        entries = {Path(entry.path): entry for entry in os.scandir(directory.path)}
        for folder in folders:
            if folder in entries and entries[folder].is_dir(follow_symlinks=False):
                entries |= {Path(entry.path): entry for entry in os.scandir(folder)}
    except OSError as error:
        raise InvalidError(f"{directory.path} can't be read: {error.strerror or error}") from None
    for path, entry in entries.items():
        if entry.is_symlink():
            raise InvalidError(f"{path}: expected files and folders in a run directory, found a link")
        is_folder, is_file = entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False)
        if (
            (path in folders and not is_folder)
            or (path in files and not is_file)
            or not (is_folder or is_file)
        ):
            expected = "a folder" if path in folders else "a file"
            raise InvalidError(f"{path}: expected {expected}, found something else")


def locked(directory: RunDirectory) -> AbstractContextManager[None]:
    """Be the only writer of a run directory; see `only_writer`."""
    return only_writer(directory.path)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only process that writes in a folder, by a lock on its file "lock".

    Raises:
        FoolingError: another process writes it, or it can't be written.
    """
    with naming_write_errors(f"in {folder}"):
        file = open(folder / "lock", "a+b")
    with file:
        for attempt in range(5):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:  # a reader that looks whether there is a writer holds it for an instant
                if attempt == 4:
                    raise FoolingError(f"{folder} is being written by another process") from None
                time.sleep(0.05)
        yield


def is_locked(directory: RunDirectory) -> bool:
    """Whether some process is writing a run directory."""
    try:
        with open(directory.lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _remove_leftovers(path: Path) -> None:
    """Delete what a killed process left of an attempt to make this directory."""
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):
        pid = leftover.name.removesuffix(".tmp").rpartition(".")[2]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(leftover, ignore_errors=True)
