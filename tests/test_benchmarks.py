"""The measurements measure what they say. A wrong one costs more than none: it is quoted."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import __main__ as everything
from benchmarks import (
    archive,
    beside_local,
    cold_start,
    memory,
    report,
    run_page,
    scaling,
    scaling_model,
    sweeps,
    throughput,
    transfer_page,
    zoo,
)
from benchmarks.peers import __main__ as peers
from benchmarks.peers import common, evotorch, neat_deap, pyribs
from cppn.cache import cache_directory
from fooling import bench
from fooling.config import resolve
from fooling.encodings.direct import DirectPopulation
from fooling.present.markdown import table as markdown
from fooling.store.view import open_run


def bred(encoding: str) -> bench.Bench:
    flags = {"encoding.name": encoding, "search.population": 40, "run.evaluators": 1}
    return bench.prepare(resolve(None, [], flags), 3)


@pytest.mark.parametrize("name", everything.ALL)
def test_each_measurement_says_its_method_and_has_a_quick_form(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `make bench` runs for an hour, or prints figures nobody can judge."""
    package = importlib.import_module(f"benchmarks.{name}")
    module = (
        importlib.import_module(f"benchmarks.{name}.__main__") if hasattr(package, "__path__") else package
    )
    assert f"python -m benchmarks.{name} [--quick] [--cores 2]" in (module.__doc__ or "")
    monkeypatch.setattr(sys, "argv", [name, "--quick", "--cores", "4096"])
    assert report.arguments(report.parser(module.__doc__)).quick
    assert callable(module.main)


def test_calls_are_measured_in_turns() -> None:
    """Measured one after the other, a machine whose speed drifts would favour one of them."""
    order: list[tuple[str, int]] = []
    calls = {name: lambda repeat, name=name: order.append((name, repeat)) for name in ("a", "b")}
    report.interleaved(calls, 2)
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def test_growth_is_the_exponent() -> None:
    sizes = [10, 100, 1000]
    assert report.exponent(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx(1.5)


def test_quick_figures_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a glance at the benchmarks overwrites the figures that the documentation quotes."""
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    full = report.save("some", {"x": 1}, {"Title": markdown(["a"], [[1]])})
    quick = report.save("some", {"x": 2}, quick=True)
    assert full == tmp_path / "some.json"
    assert "## Title" in full.with_suffix(".md").read_text()
    assert quick.parent != full.parent


def test_the_archive_that_is_timed_is_right() -> None:
    archive.check(50, 40)
    times = [archive.offer_times(10, state, 0) for state in ("fresh", "settled")]
    assert "| 10 | fresh |" in archive.offer_table({"10 classes, fresh": times[:1]})


def test_the_check_of_the_archive_notices_a_lost_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that can't fail would let a fast and wrong archive be praised."""
    reduce = archive.reduce

    def forgetful(chunk: archive.Chunk, thresholds: Any = None) -> Any:
        shorter: Any = tuple(part[:1] if isinstance(part, np.ndarray) else part for part in chunk)
        return reduce(shorter, thresholds)

    monkeypatch.setattr(archive, "reduce", forgetful)
    with pytest.raises(AssertionError):
        archive.check(50, 40)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_is_measured_in_every_generation() -> None:
    found = memory.measure(16, 2)
    assert [each["generation"] for each in found["generations"]] == [0, 1, 2]
    assert found["generations"][-1]["images"] > 100, "so few images kept say nothing about a full archive"
    assert "| 2 |" in archive.memory_table(found)


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_neat_and_deap_do_the_same_work(encoding: str) -> None:
    """Else the ratio beside them compares two different things."""
    search = bred(encoding)
    try:
        peer = (neat_deap.cppn_peer if encoding == "cppn" else neat_deap.direct_peer)(search)
        found = neat_deap.check(search, peer)
        assert found["share of pixels one level off"] <= 0.005
        first = dict(peer.first)
        assert peer.overhead(3, seed=0) > 0
        assert peer.first == first, "each repeat has to begin with the same elites"
        peer.toolbox.register("render", lambda _: np.zeros((28, 28, 1), np.uint8))
        with pytest.raises(AssertionError, match="expected equal pixels"):
            neat_deap.check(search, peer)
    finally:
        search.executor.close()


def test_the_clock_of_our_side_stops_only_for_the_classifier() -> None:
    found = peers.overheads("direct", generations=1, repeats=1, theirs=2)
    assert set(found["evaluations_per_second"]) == {"fooling", "neat-python + DEAP"}
    assert "| direct |" in peers.overhead_table({"direct": found})


def test_a_digit_that_was_not_found_counts_nothing() -> None:
    """Else a search that finds one easy digit would have the highest mean."""
    classifier = common.lenet()
    image = np.random.default_rng(0).random((28, 28))
    found = common.Found(1.0, 40, {3: image}, {3: 0.5})
    confidences = common.evaluate(found, classifier)
    pixels = torch.from_numpy(np.floor(image * 255 + 0.5) / 255).float().view(1, 1, 28, 28)
    assert confidences[3] == pytest.approx(common.bare(classifier)(pixels)[0, 3].item(), abs=1e-6)
    assert np.count_nonzero(confidences) == 1
    assert peers.result(found, classifier)["mean_confidence"] == pytest.approx(confidences[3] / 10)


def test_our_whole_runs_evaluate_what_they_are_told() -> None:
    found = peers.ours("direct", 400, seed=0)
    assert found.evaluations == 400
    assert np.allclose(common.evaluate(found, common.lenet()), list(found.claimed.values()), atol=1e-5)
    line = peers.run_table({"ours": [peers.result(found, common.lenet())]}).splitlines()[-1]
    assert line.startswith("| ours | 400 |")


def test_pyribs_evaluates_as_many_images_and_keeps_the_same() -> None:
    ribs = pytest.importorskip("ribs")
    pyribs.check_archives_agree(ribs)
    count, probabilities = counted()
    found = pyribs.search(ribs, probabilities, 90, 30, seed=0)
    assert count() == found.evaluations == 90
    assert found.images.keys() == found.claimed.keys()


def test_evotorch_evaluates_as_many_images() -> None:
    module = pytest.importorskip("evotorch")
    count, probabilities = counted()
    found = evotorch.search(module, probabilities, 90, seed=0)
    assert count() == found.evaluations == 90
    confidences = common.evaluate(found, common.lenet())
    for digit, claimed in found.claimed.items():
        assert confidences[digit] == pytest.approx(claimed, abs=0.05), "8 bits move a confidence little"


def counted() -> tuple[Any, Any]:
    """A bare LeNet that counts the images it was asked about."""
    probabilities, seen = common.bare(common.lenet()), []

    def asked(images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return probabilities(images)

    return (lambda: sum(seen)), asked


def test_a_peer_that_is_not_installed_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert common.optional("no_such_peer") is None
    assert "no_such_peer is not installed" in capsys.readouterr().out


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


def test_everything_is_run_and_a_failure_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], check: bool) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=int("benchmarks.peers" in command))

    monkeypatch.setattr("benchmarks.__main__.subprocess.run", run)
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert everything.main() == 1
    assert [command[2] for command in commands] == [f"benchmarks.{name}" for name in everything.ALL]
    assert all("--quick" in command for command in commands)
    assert "failed: peers" in capsys.readouterr().err


def test_genes_tell_images_apart() -> None:
    """`archive.check` compares digests: images that are alike would hide a mistake."""
    ids, pixels, genotypes, _ = archive.chunks(archive.classified(8, 3, 0), 0, 8)[0]
    assert isinstance(genotypes, DirectPopulation)
    assert len(np.unique(genotypes.flat[:, 0])) == len(np.unique(pixels[:, 0, 0, 0])) == len(ids)


def test_transfer_leaves_home_out_and_counts_each_run_once() -> None:
    """The share that is quoted beside the paper's: a network's answers to its own elites are no transfer."""

    def image(source: str, confidence: float, ranks: dict[str, int]) -> dict[str, Any]:
        targets = [{"target": target, "rank": rank} for target, rank in ranks.items()]
        return {"source": source, "confidence": confidence, "targets": targets}

    models = {"run-a": "python:zoo:a", "run-b": "python:zoo:b"}
    data = {
        "sources": list(models),
        "cells": [
            {"source": source, "source_model": model, "target": f"python:zoo:{target}"}
            for source, model in models.items()
            for target in "abc"
        ],
        "images": [
            image("run-a", 0.999, {"python:zoo:a": 0, "python:zoo:b": 0, "python:zoo:c": 3}),
            image("run-a", 0.5, {"python:zoo:a": 0, "python:zoo:b": 7, "python:zoo:c": 9}),
            image("run-b", 0.5, {"python:zoo:a": 0, "python:zoo:b": 9, "python:zoo:c": 0}),
        ],
    }
    encoding = SimpleNamespace(settings=SimpleNamespace(encoding=SimpleNamespace(name="cppn")))
    views: Any = dict.fromkeys(models, encoding)
    assert transfer_page.shares(data, views, "cppn", 0.0, "top1") == [0.25, 1.0]
    assert transfer_page.shares(data, views, "cppn", 0.0, "top5") == [0.5, 1.0]
    assert transfer_page.shares(data, views, "cppn", 0.99, "top1") == [0.5]
    assert transfer_page.shares(data, views, "direct", 0.0, "top1") == []


def test_a_page_of_runs_says_what_the_runs_say(small_run: tuple[Path, dict[str, Any]]) -> None:
    """It is all that is left of a long run."""
    view = open_run(small_run[0])
    body = run_page.body([view, view], "some")
    median = run_page.figure(float(np.median(view.confidence)))
    assert body.count(f"| {view.evaluations:,} |") == 2
    assert f"| {median} |" in body
    assert f"| all | 10 | {median} |" in body, "of two runs that are alike"
    assert f"`{view.archive.digest()[:16]}`" in body
    kept = run_page.record(view)
    assert np.array_equal(np.float32(kept["confidences"]), view.confidence)
    assert kept["resumes"] == 0
    assert run_page.curves([view]).startswith(b"\x89PNG")
