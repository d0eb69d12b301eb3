"""The folder for compiled kernels: the user's cache directory, or a private temporary folder where that
cannot be written (in a container with a foreign user, or a service without a home)."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path


@functools.cache
def cache_directory() -> Path:
    """The folder for this project's cache, which exists and can be written by this process. It holds machine
    code, so a temporary one is used only where nobody else can write in it."""
    usual = usual_directory()
    return usual if usual is not None and _is_usable(usual) else _temporary()


def usual_directory() -> Path | None:
    """The user's cache directory, where the platform has it ($XDG_CACHE_HOME is obeyed); None where there is
    no home directory."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "fooling"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return (
        home / "Library" / "Caches" / "fooling" if sys.platform == "darwin" else home / ".cache" / "fooling"
    )


def _is_usable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _temporary() -> Path:
    """The temporary cache folder of this user. Where somebody else owns a folder of that name, a new folder
    that is deleted when this process ends."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"fooling-cache-{user}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_private(folder):
            folder = Path(tempfile.mkdtemp(prefix="fooling-cache-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _is_private(folder: Path) -> bool:
    """Whether this is a folder (not a link to one) that this user owns and nobody else can enter."""
    found = folder.lstat()
    if not hasattr(os, "getuid"):
        return stat.S_ISDIR(found.st_mode)
    mine = found.st_uid == os.getuid() and not found.st_mode & 0o077
    return stat.S_ISDIR(found.st_mode) and mine and os.access(folder, os.W_OK | os.X_OK)
