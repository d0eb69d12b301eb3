"""How this project compiles its CPU kernels: numba, strict IEEE float arithmetic (no fast-math, no
contraction), the GIL released, machine code kept in the user's cache directory (`cppn.cache`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import event as events
from numba.extending import register_jitable
from numpy.typing import NDArray

from cppn.cache import cache_directory


def _source_digest() -> str:
    """A digest of this package's source. numba's cache notices when a kernel's own file changes, but not
    when a function that is compiled into it does: without this, an upgrade could run old machine code."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# Not through the environment variable: it has no effect once numba is imported. A user's own stands.
_config: Any = numba.config
if not _config.CACHE_DIR:
    _config.CACHE_DIR = str(cache_directory() / f"numba-{_source_digest()}")

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": False,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,  # much of the compile time, and nobody calls kernels from C
}


def kernel(function: F) -> F:
    """Compile a kernel at its first call, or load it from the cache."""
    return numba.njit(cache=True, **_OPTIONS)(function)


def inline(function: F) -> F:
    """A small function for use inside kernels, always inlined: a call in a loop keeps LLVM from vectorising
    it (ten times slower crossover, for one)."""
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def everywhere(function: F) -> F:
    """A function that kernels compile in, and that Python runs as it stands. (Without wrappers, which would
    be a tenth of the compile time.)"""
    return register_jitable(no_cfunc_wrapper=True, no_cpython_wrapper=True)(function)


@contextmanager
def told_of_compiling(tell: Callable[[], None]) -> Iterator[None]:
    """In this block `tell` is called whenever something is compiled, before it is: that takes seconds, once per
    machine. What comes from the cache is not told of. It may be called in any thread."""
    with events.install_listener("numba:compile", _Listener(tell)):
        yield


class _Listener(events.Listener):
    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def on_start(self, event: Any) -> None:
        self._tell()

    def on_end(self, event: Any) -> None:
        pass


def readonly(array: NDArray) -> NDArray:
    """A read-only view. A kernel that takes its inputs this way is compiled once, whether they come from
    this process or, read-only, from another through Ray; and it cannot change them."""
    view = array.view()
    view.flags.writeable = False
    return view
