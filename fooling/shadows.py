"""A user's own file that has the name of one of this software's top-level packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fooling.errors import InvalidError

_PACKAGES = {"cppn": "jit.py", "workers": "processes.py"}  # a file of each


def refuse_shadows() -> None:
    """Stop before an import goes astray.

    Raises:
        InvalidError: another module is found under the name of one of the packages; the line says where.
    """
    for name, file in _PACKAGES.items():
        found = importlib.util.find_spec(name)
        folders = found.submodule_search_locations or [] if found else []
        if found and not any((Path(folder) / file).exists() for folder in folders):
            where = found.origin or ", ".join(folders)
            raise InvalidError(
                f"{where} hides the package `{name}` of fooling: rename it, or start from another folder"
            )
