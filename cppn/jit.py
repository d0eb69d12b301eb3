"""How the CPU kernels are compiled: by numba, in strict IEEE float arithmetic (no fast-math, no contraction),
with the GIL released; the machine code is kept in the cache folder (`cppn.cache`)."""

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
    """A digest of this package's source. numba's cache notices when the file of a kernel changes, but not
    when a function that is compiled into the kernel does: without the digest, an upgrade could run old
    machine code."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# Set here and not through the environment variable, which has no effect once numba is imported. A folder that
# the user has set is kept.
_config: Any = numba.config
if not _config.CACHE_DIR:
    _config.CACHE_DIR = str(cache_directory() / f"numba-{_source_digest()}")

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": False,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,  # it takes much of the compile time, and nothing calls kernels from C
}


def kernel(function: F) -> F:
    """Make a function a kernel: it is compiled at its first call, or loaded from the cache."""
    return numba.njit(cache=True, **_OPTIONS)(function)


def forceinline(function: F) -> F:
    """Make a function one that kernels always inline: a call in a loop keeps LLVM from vectorising the loop,
    which makes crossover ten times slower, for example."""
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def jitable(function: F) -> F:
    """Make a function one that kernels compile into themselves, while Python code runs it as plain Python."""
    # The wrappers that are left out would take a tenth of the compile time.
    return register_jitable(no_cfunc_wrapper=True, no_cpython_wrapper=True)(function)


@contextmanager
def on_compile(callback: Callable[[], None]) -> Iterator[None]:
    """Inside this block, call `callback` before each compilation, in whatever thread that happens. Compiling
    takes seconds, once per machine; loading a kernel from the cache calls nothing."""
    with events.install_listener("numba:compile", _Listener(callback)):
        yield


class _Listener(events.Listener):
    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback

    def on_start(self, event: Any) -> None:
        self._callback()

    def on_end(self, event: Any) -> None:
        pass


def readonly(array: NDArray) -> NDArray:
    """A read-only view of an array. Kernels get their inputs this way: they cannot change them, and they are
    compiled once, whether an array comes from this process or, always read-only, from another one through
    Ray."""
    view = array.view()
    view.flags.writeable = False
    return view
