"""The cache folders of other libraries. Where the usual cache directory can't be written, they get folders
beside that of the compiled kernels (`cppn.cache`)."""

from __future__ import annotations

import os

from cppn.cache import cache_directory, usual_directory

_VARIABLES = {
    "MPLCONFIGDIR": "matplotlib",
    "TORCHINDUCTOR_CACHE_DIR": "torchinductor",  # by default named after the user, who may have no name
    "TRITON_CACHE_DIR": "triton",
}


def set_folders() -> None:
    """Set the environment variables that name the cache folders, for this process and its children, unless
    they are set or the usual cache directory can be written."""
    folder = cache_directory()
    if folder == usual_directory():
        return
    for variable, name in _VARIABLES.items():
        os.environ.setdefault(variable, str(folder / name))
