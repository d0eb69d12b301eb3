"""Sweeps, throughput and cold starts measure what their tables say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    cold_start,
    sweeps,
    throughput,
    zoo,
)
from cppn.cache import cache_directory
from fooling import bench


def test_sweeps_measure_what_their_tables_say() -> None:
    sweeps.check()
    grown = sweeps.grown(12, 1)
    hidden = grown.nodes - grown.outputs
    assert hidden.min() == hidden.max() == 12
    found = sweeps.populations(("direct",), (20, 40), 80, 1)
    assert "| direct | 20 | 4 |" in sweeps.population_table(found)
    table = sweeps.growth_table("size", {f"cost {size}": [float(size)] for size in (1, 2, 4, 8)})
    assert table.splitlines()[-1] == "| growth | 1.00 |"


def test_throughput_reports_each_rounds_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "rate", lambda call: float(call()))
    case = throughput.Case(0.5, "builtin:lenet", "direct", 1, rounds=2)
    found = throughput.measure(case)
    assert len(found["ratios"]) == 2
    assert throughput.row("mine", found)[0] == "mine"


def test_a_larger_image_is_seen_at_its_centre(assets: Path) -> None:
    """Else the large runs would time a network on other input than its own."""
    own, larger = zoo.network("mobilenet_v1_025_128"), zoo.network("mobilenet_v1_025_128", 160)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), np.uint8)
    centre = np.ascontiguousarray(pixels[:, 16:144, 16:144])
    assert np.array_equal(larger.classify(pixels), own.classify(centre))


def test_a_start_is_timed_from_outside() -> None:
    """With the kernels that other tests compiled: this is about the clock, not about the compiler."""
    found: Any = cold_start.start("compiled", cache_directory().parent, 1, 0)
    assert 0 < found["first_line"] <= found["first_progress"] <= found["done"]
    assert len(found["archive"]) == 64
