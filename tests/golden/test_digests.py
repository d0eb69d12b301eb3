"""What runs compute stays what it was (contract 5): a run that was begun with an older version would be resumed to
another end, and published digests would not come out again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.golden.runs import DIGESTS, LONG, SEEDS, arithmetic, configs, digests
from tests.kills import kill_process
from tests.ray_runs import command, finished, generations

RECORDED: dict[str, Any] = json.loads(DIGESTS.read_text())
# What tests.golden.runs sets, for the command line.
SHORT = ("search.population=32", "run.threads=1", "run.batch=16", "run.chunk=16")


@pytest.fixture(scope="module", autouse=True)
def _same_arithmetic() -> None:
    if arithmetic() != RECORDED["arithmetic"]:
        pytest.skip("this processor's last bits differ from those that the digests were recorded with")


def test_every_config_is_recorded() -> None:
    """A config without digests could change unnoticed."""
    assert set(RECORDED["runs"]) == {f"{name} {seed}" for name in configs() for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("config", configs())
def test_digests_are_those_recorded(config: str, seed: int) -> None:
    """A refactoring, or a faster kernel, changed what is computed."""
    assert digests(config, seed) == RECORDED["runs"][f"{config} {seed}"]


@pytest.mark.slow
@pytest.mark.xdist_group("runs on ray")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_on_ray_workers(seed: int, tmp_path: Path, environment: dict[str, str]) -> None:
    """Where it is computed would change the result."""
    with command(
        environment, *mnist_cppn(seed, tmp_path / "run", "search.generations=6"), "--workers", 2
    ) as process:
        assert digests_of(finished(process)) == RECORDED["runs"][f"mnist-cppn {seed}"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_across_a_kill(seed: int, tmp_path: Path, environment: dict[str, str], fooling: Any) -> None:
    """A power cut would change the result. The run is killed in its search, then resumed."""
    out = tmp_path / "run"
    settings = (f"search.generations={LONG}", "run.checkpoint_seconds=0")
    with command(environment, *mnist_cppn(seed, out, *settings)) as process:
        while generations(out) < 20:
            assert process.poll() is None, process.communicate()
            time.sleep(0.001)
        kill_process(process)
    assert generations(out) < LONG
    result = fooling("resume", out, "--json", "--quiet")
    assert result.returncode == 0, result.stderr
    assert digests_of(json.loads(result.stdout)) == RECORDED["long"][f"mnist-cppn {seed}"]


def mnist_cppn(seed: int, out: Path, *settings: str) -> list[Any]:
    """The arguments of a run like those that are recorded."""
    words = [word for setting in (*SHORT, *settings) for word in ("--set", setting)]
    return ["run", "mnist-cppn", *words, "--seed", seed, "--out", out, "--json", "--quiet"]


def digests_of(summary: dict[str, Any]) -> dict[str, str]:
    return {key: summary[key] for key in ("archive_sha256", "lineage_sha256")}
