"""Other libraries do the same work as we do, on the same images: else the ratio compares two different things."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.peers import __main__ as peers
from benchmarks.peers import common, evotorch, neat_deap, pyribs
from fooling import bench
from fooling.config import resolve


def bred(encoding: str) -> bench.Bench:
    flags = {"encoding.name": encoding, "search.population": 40, "run.evaluators": 1}
    return bench.prepare(resolve(None, [], flags), 3)


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
