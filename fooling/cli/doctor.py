"""`fooling doctor`: what this machine offers, and what killed runs left behind."""

from __future__ import annotations

from typing import Any

import click

from fooling.cli.terminal import say, say_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def doctor(as_json: bool) -> int:
    """Say what this machine offers, and clean up after runs that were killed."""
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
    """Versions, devices, the folder of compiled kernels, and the leftovers that were removed."""
    import torch

    from cppn.jit import cache_directory
    from fooling.classifiers.numerics import resolve
    from fooling.runs.underway import versions
    from workers.cluster import remove_leftovers
    from workers.local import usable_cores

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "versions": versions(),
        "processor": resolve("cpu").device_model,
        "cores": usable_cores(),
        "gpus": gpus,
        "kernels": str(cache_directory()),
        "removed": [str(folder) for folder in remove_leftovers()],
    }
