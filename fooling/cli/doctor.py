"""`fooling doctor`: what this machine offers, and what killed runs left behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import click

from fooling.terminal import say, say_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def doctor(as_json: bool) -> int:
    """Say what this machine offers; clean up after killed runs.

    The first place to look where something does not work: extras, GPUs, the compiler, disk.

    \b
    Examples:
      fooling doctor
      fooling doctor --json
    """
    found = examine()
    if as_json:
        say_json(found)
        return 0
    for name, value in found.items():
        if isinstance(value, dict):
            text = ", ".join(f"{key} {version}" for key, version in value.items())
        elif isinstance(value, list):
            text = ", ".join(map(str, value)) or "none"
        else:
            text = str(value)
        say(f"{name.replace('_', ' '):<16} {text}")
    return 0


def examine() -> dict[str, Any]:
    """Versions, extras, devices, the folder of compiled kernels, and the leftovers that were removed."""
    import torch

    from cppn.cache import cache_directory, usual_directory
    from fooling.classifiers.numerics import resolve
    from fooling.runs.underway import versions
    from workers.cluster import remove_leftovers
    from workers.local import usable_cores

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    kernels = cache_directory()
    why = "" if kernels == usual_directory() else " (temporary: the user's cache directory can't be written)"
    return {
        "versions": versions(),
        "extras": _extras(),
        "processor": resolve("cpu").device_model,
        "cores": usable_cores(),
        "gpus": gpus,
        "compiler": _compiler(),
        "kernels": f"{kernels}{why}",
        "free_disk": {str(folder): _free(folder) for folder in (Path.cwd(), kernels)},
        "removed": [str(folder) for folder in remove_leftovers()],
    }


def _extras() -> dict[str, str]:
    """The extras of the package, each "installed" or what is wrong with it."""
    from fooling.classifiers.sources.extras import EXTRAS, trouble

    found: dict[str, list[str]] = {}
    for package, extra in sorted(EXTRAS.items()):
        found.setdefault(extra, []).extend(filter(None, [trouble(package)]))
    return {extra: "; ".join(troubles) or "installed" for extra, troubles in sorted(found.items())}


def _compiler() -> str:
    """The C++ compiler that `run.compile` needs, as torch looks for it."""
    names = filter(None, (os.environ.get("CXX"), "g++", "clang++", "c++"))
    return next(filter(None, map(shutil.which, names)), "none: run.compile needs one, like g++")


def _free(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e9:,.1f} GB"
    except OSError as error:
        return error.strerror or str(error)
