"""The children of a line: a pure function of what was chosen. A failure breaks every address that was shared."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from cppn.variation import Rates
from fooling.encodings import create
from fooling.encodings.settings import CppnSettings
from fooling.search.breed.brood import Breeder, rates
from fooling.search.line.steps import CHILDREN, from_text

LINE = "3.7x1m50_0m80_m20_1.2x3.4m50"


@pytest.fixture(scope="module")
def encoding():
    return create(CppnSettings(), 28, "rgb")


def last(encoding, line, seed=5, start=None):
    return list(Breeder(encoding, seed, start).broods(from_text(line)))[-1]


def digest(brood):
    parts = [brood.genotypes.canonical_bytes(row) for row in range(CHILDREN)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_a_line_is_the_same_for_ever(encoding):
    """The digest is of this version's children; a change of it makes every shared address another line."""
    found = digest(last(encoding, LINE))
    assert found == digest(last(encoding, LINE))
    assert found[:16] == "d445ec13f21893e8"


def test_a_prefix_does_not_know_what_follows(encoding):
    """What a page keeps of a line's beginning is right for every branch."""
    breeder = Breeder(encoding, 5)
    whole = list(breeder.broods(from_text(LINE)))
    branch = list(breeder.broods(from_text("3.7x1m50_2m10")))
    assert [digest(brood) for brood in whole[:2]] == [digest(brood) for brood in branch[:2]]
    assert digest(breeder.following(whole[1], from_text("2m10")[0])) == digest(branch[2])


def test_children_look_different_from_each_other_and_from_their_parents(encoding):
    """Else there is nothing to choose among. Three draws may not be enough, but nearly always are."""
    same = 0
    for seed in range(5):
        brood = last(encoding, "3m50_5m50", seed)
        pictures = [picture.tobytes() for picture in brood.small]
        same += CHILDREN - len(set(pictures) - {picture.tobytes() for picture in brood.parents.small})
    assert same <= 2


def test_the_picked_share_the_children(encoding):
    first = last(encoding, "")
    brood = last(encoding, "2.5.9m50")
    assert brood.parent_ids.tolist() == [[0, int(first.numbers[own])] for own in [2, 5, 9] * 4]


def test_without_a_pick_the_same_parents_have_others(encoding):
    once, again = last(encoding, "4m50"), last(encoding, "4m50_m50")
    assert again.parent_ids.tolist() == once.parent_ids.tolist()
    assert digest(again) != digest(once)
    assert last(encoding, "m50").parents is None  # random ones again


def test_rejecting_keeps_its_like_away(encoding):
    """Else "reject" would be a word without a meaning."""

    def nearer(brood, rejected):
        table = brood.small.reshape(CHILDREN, -1).astype(int)
        to = [np.square(table - other.reshape(-1).astype(int)).sum(axis=1) for other in rejected]
        own = [np.square(table - other.reshape(-1).astype(int)).sum(axis=1) for other in brood.parents.small]
        return int((np.min(to, axis=0) < np.min(own, axis=0)).sum())

    with_it = without = 0
    for seed in range(12):
        first = last(encoding, "", seed)
        rejected = first.small[[0, 1, 2, 4, 5, 6]]
        without += nearer(last(encoding, "3m90", seed), rejected)
        with_it += nearer(last(encoding, "3x0.1.2.4.5.6m90", seed), rejected)
    assert with_it < without


def test_a_start_comes_first_as_it_is(encoding):
    start = last(encoding, "1m50").genotypes.take([4])
    brood = last(encoding, "", start=start)
    assert brood.genotypes.canonical_bytes(0) == start.canonical_bytes(0)
    assert brood.parent_ids.tolist() == [[-1, -1]] + [[0, 0]] * (CHILDREN - 1)


@pytest.mark.parametrize("size", [0, 25, 50, 75, 100])
def test_sizes_scale_the_rates(size):
    usual, found = Rates(), rates(Rates(), size)
    assert (found == usual) == (size == 50)
    assert (found.add_edge > usual.add_edge) == (size > 50)
    assert (found.weight_eta < usual.weight_eta) == (size > 50)
    assert found.weight_rate >= usual.weight_rate
