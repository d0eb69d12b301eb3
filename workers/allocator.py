"""Keep freed memory in the process for the next tensor.

glibc returns large blocks to the system as soon as they are freed. The next forward pass asks for them again
and gets them zeroed, page by page: large networks spend half of their time in those page faults. With the
settings below, glibc keeps freed blocks. With another C library, nothing happens.
"""

from __future__ import annotations

import ctypes
import platform
from functools import lru_cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # from glibc's malloc.h
# Blocks up to so many bytes are kept. The archive of large images is a larger block and is returned when it
# is freed.
LARGEST_KEPT = 2**28


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Set this process up to keep freed memory, before it has threads that allocate. Returns whether it could
    be done."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # One arena for all threads: the arenas of further threads have blocks too small for the tensors of a
    # network.
    settings = ((M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, LARGEST_KEPT), (M_TRIM_THRESHOLD, 2**31 - 1))
    return all(mallopt(name, value) == 1 for name, value in settings)
