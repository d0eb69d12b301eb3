"""Emulated workers, the model that is fitted to them, and the comparison with one process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import (
    beside_local,
    report,
    scaling,
    scaling_model,
)


def test_an_emulated_worker_is_small_and_takes_its_time(environment: dict[str, str]) -> None:
    """With torch, 64 of them would not fit on one machine; and latencies are what is measured against."""
    script = """
import sys, time
from benchmarks import scaling
from cppn.keys import Keys
import numpy as np
host = scaling.build(scaling.Emulation("direct", 10, 0.2))
pixels = host.toolbox.render(host.toolbox.initialise(Keys.of_generation(0, 0, 6)))
began = time.perf_counter()
whole = host.toolbox.classify(pixels)
assert 0.2 <= time.perf_counter() - began < 1.1, "a latency is a chunk's, not an image's"
parts = np.concatenate([host.toolbox.classify(part) for part in (pixels[:1], pixels[1:])])
assert np.array_equal(whole, parts), "confidences depend on the chunk"
assert np.allclose(whole.sum(axis=1), 1)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=report.ROOT, env=environment)


def test_varied_latencies_have_the_mean_that_they_are_measured_against() -> None:
    """Else efficiencies with variation would be wrong by the difference."""
    emulated = scaling.Emulated(10, 0.1, 0.25)
    draws = [emulated._latency(np.full((2, 2), number)) for number in range(4_000)]
    assert np.mean(draws) == pytest.approx(0.1, rel=0.02)
    assert np.std(draws) == pytest.approx(0.025, rel=0.1)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads Linux's /proc")
def test_workers_are_measured_on_the_archive_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scaling that changes the result is worth nothing: `measure` itself compares them."""
    monkeypatch.setattr(scaling, "BRED", 2)
    monkeypatch.setattr(scaling, "BRED_POPULATION", 100)
    scaling.elites.cache_clear()
    case = scaling.Case(2, scaling.Emulation("cppn", 10, 0.05))
    try:
        found = scaling.measure(case, 2)
        assert len(found["turns"]) == 2
        assert 0 < max(found["efficiencies"]) <= 1
        assert found["generation"] >= scaling_model.CHUNKS * 0.05
        assert min(found["sent_per_second"], found["received_per_second"], found["driver_cpu_per_chunk"]) > 0
        assert scaling.case_row(found)[3] == "2"
        assert scaling.start_table([found]).splitlines()[-1].startswith("| 2 |")
    finally:
        scaling.elites.cache_clear()


def test_runs_beside_the_local_executor_have_to_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ratio of two different searches says nothing."""
    run = beside_local.Run(1.6, 2, ("some",))
    monkeypatch.setattr(beside_local, "searched", lambda _, __, where, ___: (3.0 if where else 2.0, "same"))
    found = beside_local.compare(run, 3, 2)
    assert found["ratios"] == [1.5, 1.5, 1.5]
    assert "1.50 (1.50 to 1.50) | 1.6 |" in beside_local.table({"some": found})
    monkeypatch.setattr(beside_local, "searched", lambda _, __, where, ___: (1.0, str(where)))
    with pytest.raises(AssertionError, match="archives differ"):
        beside_local.compare(run, 1, 2)


def test_the_model_of_scaling_finds_the_costs_that_were_put_in(tmp_path: Path) -> None:
    """It is asked about 1,000 GPUs that nobody measured: what it was fitted to, it has to say exactly."""
    truth = scaling_model.Model(0.004, 0.0005, 0.001, 0.0, 0.0002, 0.00001)
    cases = [
        {
            "workers": workers, "seconds": latency, "variation": 0.0, "encoding": "cppn", "classes": 10,
            "generation": truth.generation(workers, scaling_model.CHUNKS, latency), "driver_cpu_per_chunk": 0.001,
            "bytes_per_chunk": 5_000.0, "serial": truth.search + truth.search_chunk * workers * scaling_model.CHUNKS,
        }
        for workers in (1, 2, 4, 8, 16, 32, 64)
        for latency in (0.2, 0.5)
    ]  # fmt: skip
    found = scaling_model.fit(cases)
    for workers, latency in ((8, 0.05), (1_000, 5.0), (1_000, 0.2)):
        expected = truth.efficiency(workers, 4, latency)
        assert found.efficiency(workers, 4, latency) == pytest.approx(expected, rel=1e-3)
    needed = found.latency_for(0.9, 64, 4)
    assert found.efficiency(64, 4, needed) == pytest.approx(0.9, abs=0.01)
    assert "1,000" in scaling_model.prediction_table(found)
    assert scaling_model.check_table(found, cases).count("\n") == 2 + 6
    scaling_model.draw(found, cases, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_the_last_chunk_is_waited_for() -> None:
    """Many chunks even out; many workers have a slowest one."""
    assert scaling_model.last_chunk(64, 4, 0.0) == 1
    assert 1 < scaling_model.last_chunk(8, 4, 0.1) < scaling_model.last_chunk(1_000, 4, 0.1) < 1.5
    assert scaling_model.last_chunk(64, 16, 0.1) < scaling_model.last_chunk(64, 4, 0.1)
