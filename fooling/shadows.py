"""Refuse to start where a user's file has the name of a package of this project, `cppn` or `workers`, and
would be imported in its place."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from fooling.errors import InvalidError

_PACKAGES = {"cppn": "jit.py", "workers": "processes.py"}  # each package, and a file in it


def refuse_shadows(folder: Path | None = None) -> None:
    """Refuse modules that hide a package of this project.

    Args:
        folder: where modules will be imported from first; None for where they are imported from now.

    Raises:
        InvalidError: another module has the name of one of the packages; the line says where.
    """
    for line in shadows(folder):
        raise InvalidError(f"{line}: rename it, or start from another folder")


def shadows(folder: Path | None = None) -> Iterator[str]:
    """A line for each package that is hidden; arguments as for `refuse_shadows`."""
    for name, file in _PACKAGES.items():
        found = importlib.util.find_spec(name) if folder is None else _in(folder, name)
        folders = found.submodule_search_locations or [] if found else []
        if found and not any((Path(place) / file).exists() for place in folders):
            yield f"{found.origin or ', '.join(folders)} hides the package `{name}` of fooling"


def _in(folder: Path, name: str) -> ModuleSpec | None:
    found = PathFinder.find_spec(name, [str(folder)])
    return found if found and found.origin else None  # a folder without code hides no package


def folder_of(module: str) -> Path | None:
    """The folder that holds a module, or its outermost package. None if it is not found, or if it is
    installed: what is beside an installed module is not the user's, and is imported after our packages."""
    try:
        found = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return None
    if found is None or not found.origin or not found.has_location:
        return None
    folder = Path(found.origin).parents[1 if found.submodule_search_locations else 0]
    return None if folder.name in ("site-packages", "dist-packages") else folder
