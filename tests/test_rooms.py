"""What holds of every room: files that can be read at one sitting, and floors that the linter checks."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST = 400  # lines


def test_no_file_is_longer_than_four_hundred_lines():
    """A failure costs the reader: a file that does one thing grew into one that does several."""
    files = [path for room in ("fooling", "cppn", "workers") for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 100
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_the_linter_checks_the_floors():
    """A failure costs the order of the rooms: imports would run back up, and nobody would be told."""
    lint = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    assert "lint-imports" in lint
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["type"] for contract in contracts} == {"layers", "acyclic_siblings"}
