"""A user's own file that has the name of one of this software's top-level packages."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from fooling.errors import InvalidError

_PACKAGES = {"cppn": "jit.py", "workers": "processes.py"}  # a file of each


def refuse_shadows(folder: Path | None = None) -> None:
    """Stop before an import goes astray.

    Args:
        folder: of modules that are about to be imported, or to be where imports begin (default: where they begin now).

    Raises:
        InvalidError: another module is found under the name of one of the packages; the line says where.
    """
    for line in shadows(folder):
        raise InvalidError(f"{line}: rename it, or start from another folder")


def shadows(folder: Path | None = None) -> Iterator[str]:
    """What hides a package, or would if imports began in that folder."""
    for name, file in _PACKAGES.items():
        found = importlib.util.find_spec(name) if folder is None else _in(folder, name)
        folders = found.submodule_search_locations or [] if found else []
        if found and not any((Path(place) / file).exists() for place in folders):
            yield f"{found.origin or ', '.join(folders)} hides the package `{name}` of fooling"


def _in(folder: Path, name: str) -> ModuleSpec | None:
    found = PathFinder.find_spec(name, [str(folder)])
    return found if found and found.origin else None  # a folder without code hides no package


def folder_of(module: str) -> Path | None:
    """Where the module's outermost package or file lies, by the import path as it is; None where that isn't known, or
    where it is installed: what lies beside it there is no user's, and comes after our packages."""
    try:
        found = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return None
    if found is None or not found.origin or not found.has_location:
        return None
    folder = Path(found.origin).parents[1 if found.submodule_search_locations else 0]
    return None if folder.name in ("site-packages", "dist-packages") else folder
