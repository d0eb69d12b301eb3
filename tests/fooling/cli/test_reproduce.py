"""`fooling reproduce` as a user has it: listed, refused, killed and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest


def test_the_list_names_every_experiment(fooling: Any) -> None:
    result = fooling("reproduce", "--list")
    assert result.returncode == 0
    for name in ("mnist-direct", "retrain-cifar10", "related-classes", "needs --model"):
        assert name in result.stdout


def test_a_misspelt_experiment_is_suggested(fooling: Any, tmp_path: Path) -> None:
    result = fooling("reproduce", "mnist-cpnn", cwd=tmp_path)
    assert result.returncode == 4
    assert result.stderr == "error: no experiment named mnist-cpnn; did you mean mnist-cppn?\n"
    assert not list(tmp_path.iterdir())


def test_what_is_lacking_is_named_and_the_rest_is_done(fooling: Any, tmp_path: Path) -> None:
    result = fooling("reproduce", "related-classes", "--quick", "--json", cwd=tmp_path)
    assert result.returncode == 5
    assert "related-classes is open: expected an ImageNet classifier: give one with --model" in result.stderr
    assert json.loads(result.stdout)["experiments"][0]["verdict"] == "open"


@pytest.mark.slow
def test_killed_and_gone_on_with_it_finds_the_same(
    fooling: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    """A reproduction takes hours: who lost one to a crash would not begin again."""
    arguments = ("reproduce", "mnist-cppn", "--quick", "--json", "--quiet", "--out")
    whole = fooling(*arguments, "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    command = [sys.executable, "-m", "fooling", *arguments, "broken"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    second = tmp_path / "broken" / "runs" / "mnist-cppn-lenet-g100-s1" / "manifest.json"
    while not second.exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    resumed = fooling(*arguments, "broken", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    one, other = (json.loads(result.stdout)["experiments"][0] for result in (whole, resumed))
    assert one["numbers"] == other["numbers"]
    assert one["rows"] == other["rows"]
