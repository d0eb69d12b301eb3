"""Caches of the libraries: where their usual places can't be written, they get one beside that of our kernels."""

from __future__ import annotations

import os

from cppn.cache import cache_directory, usual_directory

_VARIABLES = {
    "MPLCONFIGDIR": "matplotlib",
    "TORCHINDUCTOR_CACHE_DIR": "torchinductor",  # else named after the user, who may have no name
    "TRITON_CACHE_DIR": "triton",
}


def lend() -> None:
    """Name folders for them in this process's environment and that of its children, unless they are named, or not
    needed."""
    folder = cache_directory()
    if folder == usual_directory():
        return
    for variable, name in _VARIABLES.items():
        os.environ.setdefault(variable, str(folder / name))
