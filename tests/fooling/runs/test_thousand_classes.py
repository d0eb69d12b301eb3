"""Runs on 1,000 classes: a real ImageNet network resumes exactly, and memory does not grow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kills import kill_process

ROOT = Path(__file__).resolve().parents[3]
RUN = ["--model", "python:benchmarks.zoo:mcunet_5fps_128", "--trust", "--quiet"]
RUN += ["--set", "search.generations=5", "--set", "search.population=100"]

GROWTH = """
import resource, sys
import numpy as np, torch
from torch import nn
import fooling
from fooling import classifiers

network = nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(48, 1000)).eval()
torch.manual_seed(0)
with torch.no_grad():
    network[2].weight.copy_(torch.randn(1000, 48) * 8)
spec = classifiers.Spec(name="linear", size=64, colour="rgb", labels=tuple(map(str, range(1000))))

def now():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

seen = {}
def report(view):
    if view.generation in (30, 150):
        seen[view.generation] = now()

for encoding in ("direct", "cppn"):
    settings = [f"encoding.name={encoding}", "search.generations=150", "search.population=100",
                "run.checkpoint_seconds=1", "search.initial=1000"]
    fooling.run(out=f"{sys.argv[1]}/{encoding}", assignments=settings, report=report,
                classifier=classifiers.from_module(network, spec))
    print(encoding, seen[150] - seen[30])
"""


@pytest.fixture
def environment_here(environment):
    """The repository's root on the path: the source `python:` finds `benchmarks.zoo` there."""
    return {**environment, "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
def test_a_real_network_resumes_exactly(assets, tmp_path, fooling, environment_here):
    env = {**environment_here, "FOOLING_ASSETS": str(assets)}
    whole = fooling("run", "imagenet-cppn", "--out", tmp_path / "whole", "--json", *RUN, env=env)
    assert whole.returncode == 0, whole.stderr
    expected = json.loads(whole.stdout)
    assert expected["confidence"]["classes"] == 1000
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "fooling", "run", "imagenet-cppn", "--out", str(out), *RUN]
    command += ["--set", "run.checkpoint_seconds=0"]
    process = subprocess.Popen(command, env=env)
    while not (out / "checkpoints" / "00000002.safetensors").exists() and process.poll() is None:
        time.sleep(0.01)
    kill_process(process)
    resumed = fooling("resume", out, "--trust", "--json", "--quiet", env=env)
    assert resumed.returncode == 0, resumed.stderr
    summary = json.loads(resumed.stdout)
    assert summary["archive_sha256"] == expected["archive_sha256"]
    assert summary["lineage_sha256"] == expected["lineage_sha256"]
    assert len(list((out / "elites").iterdir())) == 1000


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
def test_memory_does_not_grow_with_generations(tmp_path, environment):
    """A run of 20,000 generations must not die of memory after a week."""
    result = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in result.stdout.splitlines():
        encoding, megabytes = line.split()
        assert float(megabytes) < 40, f"{encoding}: {megabytes} MB more after 120 generations"
