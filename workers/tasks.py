"""The tasks: pure functions of a host, shared arrays and a chunk, called by name.

Being named and pure, a task can be computed again after a crash, or on another machine, with the same
result. All randomness comes from the keys of the chunk. Tasks are registered from above, by the modules that define
them: whoever makes a host imports those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workers.host import Host

Task = Callable[[Host, Any, Any], Any]
TASKS: dict[str, Task] = {}


def task(function: Task) -> Task:
    """Register a task under its function's name."""
    TASKS[function.__name__] = function
    return function


def compute(host: Host, name: str, shared: Any, chunk: Any) -> Any:
    """The result of a registered task.

    Raises:
        LookupError: no such task was registered in this process.
    """
    if name not in TASKS:
        raise LookupError(f"expected one of the tasks {', '.join(sorted(TASKS)) or '(none)'}, found {name}")
    return TASKS[name](host, shared, chunk)
