"""Whole runs on Ray workers: the same archive wherever they are computed, whoever dies, and nothing left over."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fooling.runs import handle
from tests.kills import kill_process
from tests.ray_clusters import processes, wait_until
from tests.ray_runs import FEW, command, finished, generations, left_behind, same, workers_of

pytestmark = pytest.mark.xdist_group("runs on ray")

ROOT = Path(__file__).resolve().parents[3]
MANY = ("--set", "search.generations=200")
CONFIGS = ("mnist-cppn", "mnist-direct")


def test_two_workers_give_the_archive_of_one_process(small_run, environment, tmp_path):
    """And nothing but our own lines on the terminal, the workers' words in the run directory, and nothing
    left of the cluster. A failure costs the meaning of a seed, or the machine's order."""
    arguments = ("run", "--out", tmp_path / "run", "--workers", 2, "--json", *FEW)
    token = Path.home() / ".ray" / "auth_token"
    had_token = token.exists()
    variables = {**environment, "TMPDIR": str(tmp_path), "RAY_ADDRESS": "127.0.0.1:1"}  # neither is of use
    with command(variables, *arguments) as process:
        out, said = process.communicate(timeout=250)
    assert process.returncode == 0, said
    same(json.loads(out), small_run[1])
    lines = said.splitlines()
    assert lines[0].startswith("loading the classifier")
    assert all(line.startswith("generation ") for line in lines[1:])
    assert len(list((tmp_path / "run" / "logs").glob("worker-*.log"))) == 2
    assert left_behind(process.pid) == []
    assert {path.name for path in tmp_path.iterdir()} == {"run"}
    assert token.exists() == had_token


@pytest.fixture(scope="module")
def long_run(fooling, tmp_path_factory) -> Callable[[str], dict[str, Any]]:
    """`long_run(config)`: 200 generations in this process's own kind."""
    made: dict[str, dict[str, Any]] = {}

    def run(config: str) -> dict[str, Any]:
        if config not in made:
            out = tmp_path_factory.mktemp("long") / "run"
            result = fooling("run", config, "--out", out, "--json", "--quiet", *MANY)
            assert result.returncode == 0, result.stderr
            made[config] = json.loads(result.stdout)
        return made[config]

    return run


@pytest.mark.slow
@pytest.mark.parametrize(("config", "workers"), [("mnist-direct", 1), ("mnist-direct", 4), ("mnist-cppn", 2)])
def test_any_number_of_workers(config, workers, long_run, environment, tmp_path):
    arguments = ("run", config, "--out", tmp_path / "run", "--workers", workers, "--json", "--quiet", *MANY)
    with command(environment, *arguments) as process:
        same(finished(process), long_run(config))


@pytest.mark.slow
@pytest.mark.parametrize("config", ["mnist-direct"])
def test_a_worker_killed_every_two_seconds(config, long_run, environment, tmp_path):
    """Ready or still starting: any, as long as one is ready, without which a slow machine gets nowhere. A
    failure costs runs on machines that others may reclaim."""
    arguments = ("run", config, "--out", tmp_path / "run", "--workers", 3, "--json", "--quiet", *MANY)
    killed = []
    draw = random.Random(config)
    with command(environment, *arguments) as process:
        stop = threading.Event()

        def kill() -> None:
            while not stop.wait(2):
                pids = workers_of(process.pid)
                if set(pids) - set(processes("ray::Worker.prepare")):
                    killed.append(draw.choice(pids))
                    os.kill(killed[-1], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            out, said = process.communicate(timeout=280)
        finally:
            stop.set()
            killer.join()
    assert process.returncode == 0, said
    assert said == ""  # not even then has Ray anything to say
    same(json.loads(out), long_run(config))
    assert len(killed) >= 2
    assert left_behind(process.pid) == []


@pytest.mark.slow
@pytest.mark.parametrize("config", ["mnist-cppn"])
def test_the_driver_is_killed_and_the_run_goes_on_elsewhere(config, long_run, environment, tmp_path, fooling):
    """First with other workers, then in one process; what the killed left behind is cleaned up."""
    out = tmp_path / "run"
    cadence = ("--set", "run.checkpoint_seconds=0.2")
    begin = ("run", config, "--out", out, "--workers", 3, "--quiet", *MANY, *cadence)
    go_on = ("resume", out, "--workers", 2, "--quiet")
    for arguments, generation in ((begin, 50), (go_on, 110)):
        with command(environment, *arguments) as process:
            wait_until(lambda: generations(out) >= generation, f"generation {generation}")  # noqa: B023
            kill_process(process)
            wait_until(lambda: not workers_of(process.pid), "the end of the workers")
        assert fooling("doctor").returncode == 0
        assert left_behind(process.pid) == []
    view = handle.resume(out, workers=0)
    whole = long_run(config)
    assert view.archive.digest() == whole["archive_sha256"]
    shown = json.loads(fooling("show", out, "--json").stdout)
    same(shown, whole)


@pytest.mark.slow
def test_a_thousand_classes(assets, environment, tmp_path):
    run = ("run", "imagenet-cppn", "--model", "python:benchmarks.zoo:mcunet_5fps_128", "--trust", "--json")
    few = ("--quiet", "--set", "search.generations=4", "--set", "search.population=100")
    variables = {**environment, "FOOLING_ASSETS": str(assets)}
    found: list[dict[str, Any]] = []
    for workers in ([], ["--workers", 2], ["--workers", 3]):
        out = tmp_path / f"run{len(found)}"
        with command(variables, *run, "--out", out, *few, *workers, cwd=ROOT) as process:
            found.append(finished(process))
    for other in found[1:]:
        same(other, found[0])


@pytest.mark.slow
def test_a_classifier_and_operators_from_python(environment, tmp_path):
    """They travel to the workers. A failure costs all programs that bring their own network."""
    program = """
import sys
import torch
from torch import nn
import fooling
from fooling import classifiers

torch.manual_seed(1)
network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)).eval()
spec = classifiers.Spec(name="mine", size=8, colour="grey", labels=tuple("abcd"))
classifier = classifiers.from_module(network, spec)
rate = 0.25

def customise(toolbox):
    original = toolbox.mutate
    toolbox.register("mutate", lambda population, keys: original(population, keys))

for workers in (None, 2):
    run = fooling.run(
        out=f"{sys.argv[1]}/{workers}", classifier=classifier, customise=customise,
        assignments=["search.generations=5", "search.population=30", "run.chunk=10"],
        flags={"run.workers": workers} if workers else {},
    )
    print(run.archive.digest())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    here, there = done.stdout.split()
    assert here == there


@pytest.mark.cuda
@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_two_workers_on_one_real_gpu(environment, tmp_path):
    """On CUDA: two workers share it, and the archive is that of one process on the same GPU."""
    found: list[dict[str, Any]] = []
    for workers in ([], ["--workers", 2]):
        out = tmp_path / f"run{len(found)}"
        arguments = ("run", "--out", out, "--set", "run.device=cuda", "--json", "--quiet", *FEW, *workers)
        with command(environment, *arguments) as process:
            found.append(finished(process))
    same(found[1], found[0])
    assert "cuda" in json.loads((tmp_path / "run1" / "manifest.json").read_text())["numerics"]["device"]
