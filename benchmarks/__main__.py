"""All measurements, one after the other: `python -m benchmarks [--full] [--cores 2]`, what `make bench` does."""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.report import RESULTS

ALL = (
    "archive",
    "throughput",
    "peers",
    "sweeps",
    "cold_start",
    "scaling",
    "beside_local",
    "ascent",
    "service",
    "pages",
)


def main() -> int:
    """Each in a process of its own, so that none inherits another's threads or memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="not --quick: about an hour")
    parser.add_argument("--cores", type=int, default=2, help="measure on so many cores (default: 2)")
    given = parser.parse_args()
    failed = []
    for name in ALL:
        print(f"\n# {name}\n", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", "--cores", str(given.cores)]
        if subprocess.run([*command, *([] if given.full else ["--quick"])], check=False).returncode:
            failed.append(name)
    print(f"tables and numbers: {RESULTS if given.full else RESULTS / 'quick'}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
