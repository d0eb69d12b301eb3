"""Which class of one classifier is which of another's. A failure costs shares that count other classes."""

from __future__ import annotations

import pytest

from fooling.errors import InvalidError
from fooling.transfer.labels import matched

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
