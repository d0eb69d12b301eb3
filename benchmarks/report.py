"""What all measurements share: cores, turns, where results go, on what machine they were taken."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
ROOT = RESULTS.parent.parent

_PACKAGES = ("torch", "numpy", "numba", "deap", "neat-python")
_PEERS = ("ribs", "evotorch")


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with what every measurement understands."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--quick", action="store_true", help="minutes less, figures rougher; kept apart")
    made.add_argument("--cores", type=int, default=2, help="measure on so many cores (default: 2)")
    return made


def arguments(made: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line's arguments, in a process on as many cores as they ask for. Thread pools look at the
    cores when they are imported, so a process that has more starts itself again with fewer."""
    given = made.parse_args()
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > given.cores:
            os.sched_setaffinity(0, cores[: given.cores])
            sys.stdout.flush()
            os.execv(sys.executable, sys.orig_argv)
    return given


def interleaved(calls: Mapping[str, Callable[[int], Any]], repeats: int) -> dict[str, list[Any]]:
    """What each call returns for the repeats 0, 1, ...: in turns, so that a machine whose speed drifts slows
    all of them."""
    found: dict[str, list[Any]] = {name: [] for name in calls}
    for repeat in range(repeats):
        for name, call in calls.items():
            found[name].append(call(repeat))
    return found


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """The median, with the lowest and the highest."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The b of cost = a size^b, fitted by least squares on logarithms."""
    import numpy as np

    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def machine() -> dict[str, Any]:
    """The machine and the versions that a measurement was taken with."""
    from fooling.classifiers.numerics import resolve
    from workers.local import usable_cores

    return {
        "device": resolve().device_model,
        "cores": usable_cores(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in _PACKAGES},
        **{name: version for name in _PEERS if (version := _version(name))},
        "command": " ".join(["python", "-m", _module(), *sys.argv[1:]]),
    }


def save(
    name: str, result: dict[str, Any], tables: Mapping[str, str] | None = None, quick: bool = False
) -> Path:
    """Write a result as JSON, with the machine that it was taken on.

    Args:
        tables: title -> Markdown; printed, and written beside the JSON.
        quick: keep it apart from the figures of full measurements.
    """
    folder = RESULTS / "quick" if quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    at, path = machine(), folder / f"{name}.json"
    path.write_text(json.dumps({"machine": at, **result}, indent=1) + "\n")
    if tables:
        facts = ", ".join(f"{key} {value}" for key, value in at.items() if key != "command")
        parts = [
            f"`{at['command']}`: {facts}\n",
            *(f"## {title}\n\n{table}" for title, table in tables.items()),
        ]
        text = "\n".join(parts)
        path.with_suffix(".md").write_text(text)
        print(text, flush=True)
    return path


def assets() -> Path | None:
    """The folder of further networks and data, where there is one."""
    folder = Path(os.environ.get("FOOLING_ASSETS", ROOT.parent / "shared" / "assets"))
    return folder if folder.is_dir() else None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _module() -> str:
    spec = sys.modules["__main__"].__spec__
    return spec.name.removesuffix(".__main__") if spec else Path(sys.argv[0]).stem
