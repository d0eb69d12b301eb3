"""The numbers of the transfer experiments, on answers that are known: a slip here answers the paper's question
wrongly."""

from __future__ import annotations

import numpy as np
import pytest

from fooling.reproduce.experiments import transfer
from fooling.reproduce.experiments.answers import Answer

SURE, ALMOST = float(np.float32(0.9999)), float(np.nextafter(np.float32(0.9999), np.float32(0)))
LENET, TWIN, MLP = "builtin:lenet", "builtin:lenet-b", "builtin:mlp"


def answer(source: str, target: str, seed: int, hits: int, images: int = 10) -> Answer:
    same = [number < hits for number in range(images)]
    return Answer(source, target, seed, [1.0] * images, same, [0.5] * images)


def test_sure_means_at_least_99_99_percent_on_both() -> None:
    one = Answer(LENET, TWIN, 0, [SURE, SURE, ALMOST, SURE], [True] * 4, [SURE, ALMOST, SURE, 0.0])
    assert transfer.sure_on_both(one) == 0.25
    assert transfer.sure_alone(one) == 0.5


def test_twins_are_not_other_architectures() -> None:
    pairs = [(LENET, TWIN), (TWIN, LENET), (LENET, LENET), (LENET, MLP), (MLP, TWIN)]
    assert [transfer.is_across(answer(*pair, 0, 1)) for pair in pairs] == [False, False, False, True, True]


def test_a_run_is_one_value_whatever_the_number_of_its_targets() -> None:
    found = [answer(LENET, MLP, 0, 2), answer(LENET, "x", 0, 4), answer(LENET, MLP, 1, 9)]
    assert transfer.by_run(found) == pytest.approx([0.3, 0.9])


def test_pooled_shares_have_wilsons_interval_and_say_how_many_runs() -> None:
    found = [answer(LENET, MLP, seed, 2) for seed in range(5)]
    # Wilson 1927 for 10 of 50, by hand: (0.2384 +- 0.1140)
    assert transfer.pooled(found) == "20.0 % (11.2 % to 33.0 %, n = 50 answers to images of 5 runs)"


def test_the_matrix_has_every_cell() -> None:
    found = [
        answer(source, target, 0, 10 if source == target else 3)
        for source in (LENET, MLP)
        for target in (LENET, MLP)
    ]
    lines = transfer.matrix(found).splitlines()
    assert lines[0] == "| elites | `lenet` | `mlp` |"
    assert lines[2].startswith("| of `lenet` | 100% (72% to 100%) | 30% (")
    assert len(lines) == 4


def test_the_test_compares_the_same_runs() -> None:
    """Twin against others: pairs of one run each, or differences between runs would pass for an effect."""
    found = []
    for seed in range(5):
        found += [answer(LENET, TWIN, seed, 9 - seed % 2), answer(LENET, MLP, seed, 3)]
        found += [answer(TWIN, LENET, seed, 9), answer(TWIN, MLP, seed, 3 + seed % 3)]
    sentence = transfer.twins_beside_others("cppn", found)
    assert "the first is higher in 100% of pairs" in sentence
    assert "p = 0.002, n = 10" in sentence  # all of 2^10 arrangements, two-sided


@pytest.mark.parametrize(("away", "holds"), [(5, [True, True]), (10, [True, False]), (1, [False, True])])
def test_claims(away: int, holds: list[bool]) -> None:
    """More than chance, and less than between twins: either may fail alone."""
    others = [answer(LENET, MLP, seed, away) for seed in range(10)]
    claims = transfer.across_claims(others, [answer(LENET, TWIN, seed, 9) for seed in range(10)])
    assert [claim.holds for claim in claims] == holds
