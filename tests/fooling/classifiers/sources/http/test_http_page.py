"""`docs/http.md` is what somebody with an API key and a budget follows: its blocks run as written, and it lists
every key."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fooling.classifiers.sources.http.spec import (
    BudgetTable,
    Document,
    PaceTable,
    RequestTable,
    ResponseTable,
)

PAGE = (Path(__file__).parents[5] / "docs" / "http.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_every_block_runs_as_written(tmp_path, environment):
    """On a port that is free; all shell blocks are one session, as in a terminal."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    for _, block in BLOCKS:
        if file := re.match(r"# ([\w.]+)\n", block):
            (tmp_path / file[1]).write_text(block.replace("8765", port))
    script = "\n".join(block for language, block in BLOCKS if language == "sh").replace("8765", port)
    path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    result = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "the budget is spent (150 queries of at most 150, 0.15 of at most 1)" in result.stderr
    log = [json.loads(line) for line in (tmp_path / "runs/remote/events.jsonl").read_text().splitlines()]
    assert log[-1]["event"] == "completed"


TABLES = (Document, RequestTable, ResponseTable, PaceTable, BudgetTable)


@pytest.mark.parametrize("key", sorted({name for table in TABLES for name in table.model_fields}))
def test_every_key_is_listed(key):
    listed = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))
    assert re.search(rf"`\[?{key}\]?`", listed), f"{key} is not in a table of the page"
