"""What all measurements share: where results go, on what machine they were taken, how a table looks."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
ROOT = RESULTS.parent.parent


def machine() -> dict[str, Any]:
    """The machine and the versions that a measurement was taken with."""
    from fooling.classifiers.numerics import resolve
    from workers.local import usable_cores

    packages = ("torch", "numpy", "numba", "deap", "neat-python")
    return {
        "device": resolve().device_model,
        "cores": usable_cores(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
        "command": " ".join(["python", "-m", _module(), *sys.argv[1:]]),
    }


def markdown(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def save(name: str, result: dict[str, Any]) -> Path:
    """Write a result as JSON, with the machine that it was taken on."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **result}, indent=1) + "\n")
    return path


def assets() -> Path | None:
    """The folder of further networks and data, where there is one."""
    folder = Path(os.environ.get("FOOLING_ASSETS", ROOT.parent / "shared" / "assets"))
    return folder if folder.is_dir() else None


def _module() -> str:
    spec = sys.modules["__main__"].__spec__
    return spec.name if spec else Path(sys.argv[0]).stem
