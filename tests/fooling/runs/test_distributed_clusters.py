"""Runs on Ray clusters that were there before: what comes is used, what others have is left alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ray_clusters import Holder, wait_until
from tests.ray_runs import FEW, command, finished, generations, same, talking

pytestmark = pytest.mark.xdist_group("runs on ray")

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}  # else Ray itself writes one into ~/.ray


@pytest.fixture(scope="module")
def holder() -> Iterator[Holder]:
    with Holder() as held:
        yield held


@pytest.mark.slow
def test_on_a_cluster_of_several_nodes_that_come_and_go(holder, small_run, environment, tmp_path):
    """One leaves, then all, then another comes: the same archive. What was there before is left there."""
    first, second = holder.add(), holder.add()
    out = tmp_path / "run"
    slow = ("--set", "search.generations=12", "--set", "search.population=60", "--set", "run.chunk=2")
    variables = {**environment, **holder.environment}
    arguments = ("run", "--out", out, "--address", holder.address, "--json", "--quiet", *slow)
    with command(variables, *arguments) as process:
        wait_until(lambda: generations(out) >= 0, "the first generation")
        holder.kill(first)
        seen = generations(out)
        wait_until(lambda: generations(out) > seen or process.poll() is not None, "another generation")
        holder.kill(second)
        with holder.node():
            out_, said = process.communicate(timeout=200)
            assert process.returncode == 0, said
            assert all(line.startswith("waiting for ") for line in said.splitlines()), said
            same(json.loads(out_), small_run[1])
            wait_until(lambda: not holder.workers(), "the end of the workers")


@pytest.mark.slow
def test_a_cluster_that_was_there_is_left_as_it_was(holder, small_run, environment, tmp_path):
    """Its nodes, and somebody else's actor; also after an error. A failure costs other people's work."""
    foreign = """
import ray, sys
ray.init(sys.argv[1], log_to_driver=False, namespace="foreign")

@ray.remote(num_cpus=0)
class Foreign:
    def answer(self):
        return 42

actor = Foreign.options(name="foreign", lifetime="detached").remote()
print(ray.get(actor.answer.remote()), flush=True)
for line in sys.stdin:
    print(ray.get(actor.answer.remote()), sum(node["Alive"] for node in ray.nodes()), flush=True)
ray.kill(actor)
"""
    variables = {**environment, **holder.environment}
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "text": True,
        "env": variables,
    }
    with (
        holder.node(cpus=2),
        subprocess.Popen([sys.executable, "-c", foreign, holder.address], **pipes) as other,
    ):
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "42\n"
        on = ("--address", holder.address, "--workers", 2, "--json", "--quiet")
        with command(variables, "run", "--out", tmp_path / "run", *on, *FEW) as process:
            same(finished(process), small_run[1])
        (tmp_path / "file").touch()
        with command(variables, "run", "--out", tmp_path / "file" / "run", *on, *FEW) as process:
            process.wait(200)
        assert (
            process.returncode == 1
        )  # there can be no such run directory, which is found when all else is there
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "42 2\n"
        wait_until(lambda: not holder.workers(), "the end of the workers")
        other.stdin.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_waiting(number, holder, environment, tmp_path):
    """One line says what is waited for; then exit 130, without a run directory."""
    variables = {**environment, **holder.environment}
    gpus = ("--set", "run.device=cpu", "--set", "run.gpus=1")
    on = ("--address", holder.address, "--workers", 2, *gpus)
    with holder.node(gpus=1), talking(variables, "run", "--out", tmp_path / "run", *on) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("loading the classifier")
        # One of the two is there: this line is said before it has started.
        assert process.stderr.readline() == "waiting for 2 GPUs, the cluster has 1\n"
    with holder.node(), talking(variables, "run", "--out", tmp_path / "none", *on) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("loading the classifier")
        assert process.stderr.readline() == "waiting for 2 GPUs, the cluster has 0\n"
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(number)
        out, said = process.communicate(timeout=200)
    assert process.returncode == 130
    assert (out, said.strip()) == ("", "error: interrupted")
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_workers_that_share_a_logical_gpu(holder, small_run, environment, tmp_path):
    """Half a GPU each, and the waiting is over when a node joins."""
    variables = {**environment, **holder.environment}
    gpus = ("--set", "run.device=cpu", "--set", "run.gpus=0.5")
    on = ("--address", holder.address, "--workers", 4, *gpus)
    arguments = ("run", "--out", tmp_path / "run", "--json", "--quiet", *on, *FEW)
    with talking(variables, *arguments) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting for 2 GPUs, the cluster has 0\n"
        with holder.node(cpus=4, gpus=4):
            out, said = process.communicate(timeout=200)
    assert process.returncode == 0
    assert said == ""
    same(json.loads(out), small_run[1])


@pytest.mark.slow
def test_a_program_that_uses_ray_keeps_its_connection(small_run, environment, tmp_path):
    """A failure costs a user's own actors: our end would be theirs."""
    program = """
import signal, sys
import ray
import fooling

ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)

@ray.remote(num_cpus=0)
class Own:
    def answer(self):
        return 42

own = Own.remote()
handler = signal.getsignal(signal.SIGTERM)
run = fooling.run(out=sys.argv[1], assignments=sys.argv[2:], flags={"run.workers": 2})
assert ray.get(own.answer.remote()) == 42
assert signal.getsignal(signal.SIGTERM) is handler
print(run.archive.digest())
"""
    settings = [part for part in FEW if part != "--set"]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run"), *settings],
        env={**environment, "RAY_USAGE_STATS_ENABLED": "0", **TOKEN},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == small_run[1]["archive_sha256"]
