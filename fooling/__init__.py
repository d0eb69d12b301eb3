"""Evolve images that an image classifier is sure of, though they were not made to look like anything.

    import fooling

    run = fooling.run("mnist-cppn", out="runs/mine", assignments=["search.generations=60"])
    run.confidence  # (K,) float32

Everything heavy is imported when it is first used.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from fooling.version import __version__ as __version__

# Nothing is printed unless whoever imports the package, or `fooling --debug`, says where to.
logging.getLogger("fooling").addHandler(logging.NullHandler())

__all__ = [
    "Elite",
    "Evaluation",
    "Evaluator",
    "Reporter",
    "RunHandle",
    "Snapshot",
    "chart",
    "compare",
    "gallery",
    "lineage",
    "open_evaluator",
    "open_run",
    "resume",
    "run",
    "sheet",
    "start",
    "transfer",
]

if TYPE_CHECKING:
    from fooling.api import (
        Elite,
        Evaluation,
        Evaluator,
        Reporter,
        RunHandle,
        Snapshot,
        chart,
        compare,
        gallery,
        lineage,
        open_evaluator,
        open_run,
        resume,
        run,
        sheet,
        start,
        transfer,
    )


def __dir__() -> list[str]:
    """What tab completion offers: also what is not imported yet."""
    return sorted({*globals(), *__all__, "classifiers"})


def __getattr__(name: str) -> Any:
    if name in (*__all__, "classifiers"):
        from fooling.shadows import refuse_shadows

        refuse_shadows()
    if name in __all__:
        return getattr(importlib.import_module("fooling.api"), name)
    if name == "classifiers":
        return importlib.import_module("fooling.classifiers")
    raise AttributeError(f"module 'fooling' has no attribute {name!r}")
