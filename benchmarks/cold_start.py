"""How long a first run on a machine looks like nothing is happening.

    python -m benchmarks.cold_start [--quick] [--cores 2]

`fooling run` in a process of its own, with an empty cache directory: no kernel is compiled. Seconds until the
first line on stderr, until the first generation's progress line, and until the run of 200 generations is done.
Beside it: the same with compiled kernels; and with Python's bytecode missing too, as after an installation
that doesn't compile it. In turns. Before any figure, all runs must have ended with the same archive.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.report import ROOT, arguments, interleaved, parser, save, spread
from fooling.present.markdown import table as markdown

LIMIT = 10.0  # seconds to the first progress
STATES = ("nothing compiled", "no bytecode either", "compiled")


def start(state: str, warm: Path, generations: int, _: int) -> dict[str, float | str]:
    """One run, timed from outside.

    Args:
        state: one of STATES.
        warm: a cache directory for compiled kernels.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
        environment["XDG_CACHE_HOME"] = str(warm if state == "compiled" else Path(folder) / "cache")
        if state == "no bytecode either":
            environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        command = [sys.executable, "-m", "fooling", "run", "--json", "--out", str(Path(folder) / "run")]
        command += ["--set", f"search.generations={generations}"]
        began = time.perf_counter()
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            assert process.stdout is not None
            lines = [(time.perf_counter() - began, line) for line in process.stderr]
            printed = process.stdout.read()
        seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"fooling run failed: {''.join(line for _, line in lines)}")
    return {
        "first_line": lines[0][0],
        "first_progress": next(at for at, line in lines if line.startswith("generation ")),
        "done": seconds,
        "archive": json.loads(printed)["archive_sha256"],
    }


def measure(repeats: int, generations: int) -> dict[str, list[dict[str, float | str]]]:
    """All states, in turns.

    Raises:
        AssertionError: the archives differ.
    """
    with tempfile.TemporaryDirectory() as warm:
        start("compiled", Path(warm), 1, 0)
        calls = {state: partial(start, state, Path(warm), generations) for state in STATES}
        found = interleaved(calls, repeats)
    archives = {each["archive"] for runs in found.values() for each in runs}
    assert len(archives) == 1, f"the same run gave {len(archives)} different archives"
    return found


def main(given: argparse.Namespace) -> None:
    """Measure and save."""
    found = measure(1 if given.quick else 3, 20 if given.quick else 200)
    keys = ("first_line", "first_progress", "done")
    rows = [
        [state, *[spread([float(each[key]) for each in runs], ".1f") for key in keys], f"{LIMIT:g}"]
        for state, runs in found.items()
    ]
    head = ("state", "first line, s", "first progress line, s", "run done, s", "first progress at most, s")
    save("cold_start", dict(found), {"`fooling run`, cold": markdown(head, rows)}, given.quick)


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
