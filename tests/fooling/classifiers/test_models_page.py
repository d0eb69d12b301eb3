"""`docs/models.md` is what a newcomer follows: its blocks run as written, and it lists every key."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fooling.classifiers import Crop, Preprocessing, Resize, Spec, load
from fooling.classifiers.check import check
from fooling.classifiers.sources.clip import PromptsTable
from fooling.classifiers.sources.file import EnsembleTable, NetworkTable

CPU_TORCHVISION = Path(__file__).parents[2] / "cpu_torchvision"
PAGE = Path(__file__).parents[3] / "docs" / "models.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def named(block: str) -> str | None:
    """The file that a block is, if its first line says so."""
    first = re.match(r"# ([\w.-]+\.(?:py|toml))\n", block)
    return first[1] if first else None


# Python blocks are one session, as in an interpreter; what they print goes where errors go.
SESSION = """
import contextlib, json, sys
sys.path.insert(0, "")
space = {"__name__": "__main__"}
for line in sys.stdin:
    with contextlib.redirect_stdout(sys.stderr):
        exec(compile(json.loads(line), "<a block>", "exec"), space)
    print("done", flush=True)
"""


@pytest.mark.slow
def test_every_block_runs_as_written(tmp_path, environment):
    """In order, in one folder: files are written, Python goes on in one session, shell runs where it stands."""
    for package in ("onnx", "onnxruntime", "timm", "torchvision", "transformers"):
        pytest.importorskip(package, reason=f"{package} is not installed: the extras hf, onnx and zoo")
    variables = {
        **environment,
        # The page says how networks are named; how long runs take is not its matter.
        "FOOLING__SEARCH__GENERATIONS": "3",
        "FOOLING__SEARCH__POPULATION": "20",
        "PYTHONPATH": str(CPU_TORCHVISION),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    with subprocess.Popen(
        [sys.executable, "-c", SESSION],
        cwd=tmp_path,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        for language, block in BLOCKS:
            if file := named(block):
                (tmp_path / file).write_text(block)
            elif language == "python":
                print(json.dumps(block), file=session.stdin, flush=True)
                assert session.stdout.readline() == "done\n", block
            elif language == "sh":
                call(["bash", "-euc", block], tmp_path, variables)
        session.stdin.close()
    assert {block[0] for block in BLOCKS} == {"python", "sh", "toml"}
    for run in ("api", "python", "both", "zoo", "hf", "clip", "onnx"):
        assert (tmp_path / "runs" / run / "elites" / "0000.png").exists()


def call(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    result = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=200, check=False
    )
    assert result.returncode == 0, command[-1] + result.stdout + result.stderr


@pytest.mark.parametrize(
    "key",
    sorted({name for model in (Spec, Preprocessing, Resize, Crop, NetworkTable, EnsembleTable, PromptsTable) for name in model.model_fields}),
)  # fmt: skip
def test_every_key_is_listed(key):
    tables = "\n".join(line for line in PAGE.read_text().splitlines() if line.startswith("|"))
    assert re.search(rf"`[^`]*\b{key}\b[^`]*`", tables), f"{key} is not in a table of the page"


def test_every_check_is_listed():
    listed = re.findall(r"^\| (\w+) \|", PAGE.read_text(), re.MULTILINE)
    for finding in check(load("builtin:lenet")).findings:
        assert finding.name in listed


def test_the_numbers_of_the_shipped_networks_are_true():
    for name in ("lenet", "lenet-b"):
        accuracy = load(f"builtin:{name}").spec.accuracy
        assert re.search(rf"`builtin:{name}` \| \d \| {accuracy:.2%}".replace("%", " %"), PAGE.read_text())
