"""Keep freed memory for the next tensor.

glibc hands large blocks back to the system as soon as they are freed and asks for them again, zeroed page by
page, at the next forward pass: large networks spend half of their time in page faults so. Asked to keep what
was freed, it does not. Only where the C library is glibc; elsewhere nothing happens.
"""

from __future__ import annotations

import ctypes
import platform
from functools import lru_cache

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
# Blocks up to this size come from the heap. An archive of large images is larger, and goes back when freed.
LARGEST_KEPT = 2**28


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Set it up for this process, before it has threads that allocate; whether it could be done."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # One arena: those of further threads consist of blocks too small for a network's tensors.
    settings = ((M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, LARGEST_KEPT), (M_TRIM_THRESHOLD, 2**31 - 1))
    return all(mallopt(name, value) == 1 for name, value in settings)
