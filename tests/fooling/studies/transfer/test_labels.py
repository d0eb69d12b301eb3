"""Which class of one classifier is which of another's. A failure costs shares that count other classes."""

from __future__ import annotations

import importlib
from itertools import permutations

import numpy as np
import pytest

from fooling.errors import InvalidError
from fooling.studies.transfer.labels import matched

FISH = ("tench", "goldfish", "great white shark")


def test_the_same_list_is_the_same_classes_even_where_names_repeat() -> None:
    """ImageNet has two cranes and two maillots."""
    assert matched(("crane", "crane", "cat"), ("crane", "crane", "cat")).tolist() == [0, 1, 2]


def test_wordnet_ids_win_over_names() -> None:
    found = matched(FISH, ("shark", "carp"), ("n1", "n2", "n3"), ("n3", "n9"))
    assert found.tolist() == [-1, -1, 0]


def test_names_are_matched_whatever_their_case_and_spacing() -> None:
    assert matched(FISH, ("Great_White  Shark", "Tench", "eel")).tolist() == [1, -1, 0]


def test_a_name_that_occurs_twice_means_no_class() -> None:
    assert matched(("crane", "cat"), ("crane", "cat", "crane")).tolist() == [-1, 1]
    assert matched(("crane", "crane", "cat"), ("crane", "cat")).tolist() == [-1, -1, 1]


def test_nothing_in_common_is_refused_in_one_line() -> None:
    with pytest.raises(
        InvalidError, match=r"labels in common, found tench, .* \(3\) in the run and a, b \(2\)"
    ):
        matched(FISH, ("a", "b"))


@pytest.mark.parametrize(
    "source, target",
    [
        ("jack-o'-lantern", "Jack\u2011O\u2019-Lantern"),
        ("carpenter's_kit", "carpenters kit, tool kit"),
        ("tool kit", "carpenter's kit, tool kit"),
        ("n04557648 water bottle", "Water-Bottle"),
        ("maillot, tank suit", "maillot tank suit"),
    ],
)
def test_spellings_of_a_name_and_lists_of_its_lemmas_are_one_class(source: str, target: str) -> None:
    """Zoos write the same classes differently; an image whose class is not found is not counted."""
    others = ("oak", "elm", "fir")
    assert matched((source, *others[:2]), (others[2], target)).tolist() == [1, -1, -1]
    assert matched((others[2], target), (source, *others[:2])).tolist() == [-1, 0]


@pytest.mark.parametrize(
    "source, target",
    [("0", "10"), ("-1", "1"), ("c", "c++"), ("red, round", "red, square"), ("...", "---"), ("cat", "cats"), ("", "")],
)  # fmt: skip
def test_names_that_only_look_alike_are_other_classes(source: str, target: str) -> None:
    """A class matched by accident is counted, and the share says something about another class."""
    assert matched((source, "oak"), ("oak", target)).tolist() == [-1, 0]


def test_a_class_is_matched_once() -> None:
    """ "missile" names one class, and is a lemma of another; whichever has it as its whole name is meant."""
    both = ("projectile, missile", "missile")
    assert matched(("missile", "projectile"), both).tolist() == [1, 0]
    assert matched(both, ("missile", "projectile")).tolist() == [1, 0]
    assert matched(("panther", "oak"), ("jaguar, panther", "cougar, panther", "oak")).tolist() == [-1, 2]


TREES = tuple(f"tree {number}" for number in range(50))


def test_order_decides_what_is_ambiguous_where_the_rest_agrees_on_it() -> None:
    lower = ("crane", *TREES, "crane")
    upper = tuple(name.upper() for name in lower)
    assert matched(lower, upper).tolist() == list(range(52))
    assert matched(("crane bird", *TREES, "crane"), upper).tolist() == list(range(52))
    turned = matched(lower, upper[::-1])
    assert turned.tolist() == [-1, *range(50, 0, -1), -1], "another order says nothing about the cranes"
    shorter = matched(lower, (*upper, "oak"))
    assert shorter[[0, -1]].tolist() == [-1, -1], "nor do lists of other lengths"


def test_order_alone_names_no_class() -> None:
    """A list in which one class was replaced by another."""
    assert matched((*TREES, "oak"), (*TREES, "elm")).tolist() == [*range(50), -1]


def test_labels_that_are_wordnet_ids_are_matched_by_them() -> None:
    ids = ("n01440764", "n01443537", "n01484850")
    assert matched(FISH, ids[::-1], ids, None).tolist() == [2, 1, 0]
    assert matched([f"{i} {name}" for i, name in zip(ids, FISH, strict=True)], ids).tolist() == [0, 1, 2]


def _torchvision() -> list[str]:
    return list(importlib.import_module("torchvision.models._meta")._IMAGENET_CATEGORIES)


def _timm() -> list[str]:
    return list(importlib.import_module("timm.data").ImageNetInfo().label_descriptions())


def test_the_thousand_classes_of_all_zoos_are_the_same(assets) -> None:
    """505 of 1,000 were counted in a transfer from torchvision to timm."""
    lines = (assets / "imagenet" / "synset_words.txt").read_text().splitlines()
    every = [line.partition(" ")[2] for line in lines]
    first = [names.partition(",")[0] for names in every]
    lists = {"every lemma": every, "first": first, "words": lines}
    lists["Keras"] = [name.replace(" ", "_") for name in first]
    for name, read in (("torchvision", _torchvision), ("timm", _timm)):
        try:
            lists[name] = read()
        except Exception:  # not installed, or it does not import beside this torch
            continue
    moved = np.random.default_rng(0).permutation(1000)
    for one, other in permutations(lists, 2):
        assert matched(lists[one], lists[other]).tolist() == list(range(1000)), f"{one} to {other}"
        shuffled = matched(lists[one], [lists[other][place] for place in moved])
        known = shuffled >= 0
        assert known.sum() >= 994, f"{one} to {other}: cranes, cardigans and maillots may stay open"
        assert np.array_equal(moved[shuffled[known]], np.flatnonzero(known)), f"{one} to {other}"
