"""Where kernels are kept. A failure costs the start in a container without a home; or, where the folder is another
user's, lets them put machine code into this process."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from cppn import cache


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: Any) -> Any:
    """An empty folder for temporary files, and no home that can be written."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache.cache_directory.cache_clear()
    yield tmp_path / "tmp"
    cache.cache_directory.cache_clear()


def test_the_usual_place_where_it_can_be_written(tmp_path: Path, temporary: Path, monkeypatch: Any) -> None:
    """A failure costs seconds in every process: kernels are compiled again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache.cache_directory() == tmp_path / "cache" / "fooling" == cache.usual_directory()
    assert not list(temporary.iterdir())


def test_no_home_is_known(monkeypatch: Any) -> None:
    """A failure costs services without a home directory: the import ends in a traceback."""

    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    assert cache.usual_directory() is None


def test_a_private_folder_that_the_next_process_finds(temporary: Path) -> None:
    """A failure costs containers with a foreign user the compiled kernels of their last process."""
    folder = cache.cache_directory()
    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o777 == 0o700
    cache.cache_directory.cache_clear()
    assert cache.cache_directory() == folder


@pytest.mark.parametrize("trap", ["open to all", "a link", "a file", "another's"])
def test_a_folder_that_others_may_have_made_is_not_used(trap: str, temporary: Path, monkeypatch: Any) -> None:
    """A failure lets another user's machine code run in this process."""
    name = temporary / f"fooling-cache-{os.getuid()}"
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if trap == "open to all":
        name.mkdir()
        name.chmod(0o777)
    elif trap == "a link":
        name.symlink_to(elsewhere)
    elif trap == "a file":
        name.touch()
    else:
        (temporary / "fooling-cache-4711").mkdir(mode=0o700)
        monkeypatch.setattr(os, "getuid", lambda: 4711)
    folder = cache.cache_directory()
    assert folder.name not in (name.name, "fooling-cache-4711")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(elsewhere.iterdir())
