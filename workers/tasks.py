"""The registry of tasks. A task is a pure function of a host, shared arrays and a chunk, and is called by its
name.

So a task can be computed again after a crash, or on another machine, with the same result; all randomness
comes from the keys of the chunk. The modules that define tasks register them here; a worker imports those
modules when it makes its host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workers.host import Host

Task = Callable[[Host, Any, Any], Any]
TASKS: dict[str, Task] = {}


def task(function: Task) -> Task:
    """Register a task under the name of its function."""
    TASKS[function.__name__] = function
    return function


def compute(host: Host, name: str, shared: Any, chunk: Any) -> Any:
    """The result of the task of this name for a chunk.

    Raises:
        LookupError: no such task is registered in this process.
    """
    if name not in TASKS:
        raise LookupError(f"expected one of the tasks {', '.join(sorted(TASKS)) or '(none)'}, found {name}")
    return TASKS[name](host, shared, chunk)
