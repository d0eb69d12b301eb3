"""How this project compiles its CPU kernels: numba, strict IEEE float arithmetic (no fast-math, no
contraction), the GIL released, machine code kept in the user's cache directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar


def cache_directory() -> Path:
    """The user's cache directory for this project, by the platform's custom ($XDG_CACHE_HOME is obeyed)."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "fooling"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "fooling"
    return Path.home() / ".cache" / "fooling"


# numba reads this once, at its import.
os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_directory() / "numba"))

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a kernel at its first call, or load it from the cache."""
    return numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy")(function)


def inline(function: F) -> F:
    """A small function for use inside kernels; LLVM inlines it where it pays."""
    return numba.njit(nogil=True, fastmath=False, error_model="numpy")(function)
