"""What a run's log tells of each class. A failure costs the curves: confidence at a cost that was not its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fooling.errors import InvalidError
from fooling.studies.compare.trajectory import trajectory


def event(number: int, gains: list[tuple[int, float]], **more: Any) -> dict[str, Any]:
    """After step `number` of 10 images in half a second each."""
    return {"evaluations": 10 * (number + 1), "seconds": (number + 1) / 2, "gains": gains, **more}


TOGETHER = [event(0, [(0, 0.25), (2, 0.5)]), event(1, []), event(2, [(0, 0.75)]), event(3, [(1, 1.0)])]


def test_stairs_at_any_cost() -> None:
    found = trajectory(TOGETHER, 1)
    assert found.passes == 40
    assert found.seconds == 2
    assert sorted(found.classes) == [0, 1, 2]
    expected = [[0, 0.25, 0.25, 0.75, 0.75], [0, 0, 0, 0, 1], [0, 0.5, 0.5, 0.5, 0.5]]
    assert found.at([9, 10, 29, 30, 40], "passes", [0, 1, 2]).tolist() == expected
    assert found.at([0.4, 0.5, 1.4, 1.5, 2.0], "seconds", [0, 1, 2]).tolist() == expected
    assert found.costs().tolist() == [10, 30, 40]


def test_ten_crops_are_ten_passes() -> None:
    assert trajectory(TOGETHER, 10).classes[0].passes.tolist() == [100, 300]


def test_a_search_that_counts_its_passes_is_believed() -> None:
    """A backward pass counts as two, which evaluations don't say."""
    steps = [event(0, [(0, 0.5)], passes=30), event(1, [(0, 0.75)], passes=60)]
    assert trajectory(steps, 1).classes[0].passes.tolist() == [30, 60]
    assert trajectory(steps, 10).passes == 600


def test_classes_in_turn_are_read_as_if_side_by_side() -> None:
    """Two classes of three steps, one after the other: what each had after its own n-th step counts at twice the
    cost of n steps. A failure makes the second class look idle while the first evolves."""
    first = [event(n, [(7, c)], **{"class": 7}) for n, c in enumerate((0.1, 0.2, 0.3))]
    second = [event(n + 3, [(4, c)] if c else [], **{"class": 4}) for n, c in enumerate((0.4, 0.0, 0.6))]
    found = trajectory([*first, *second], 1)
    assert found.passes == 60
    assert found.classes[7].passes.tolist() == [20, 40, 60]
    assert found.classes[4].passes.tolist() == [20, 60]
    assert found.classes[7].seconds.tolist() == [1, 2, 3]
    assert np.median(found.at([20, 40, 60], "passes", [4, 7]), axis=0) == pytest.approx([0.25, 0.3, 0.45])


def test_an_older_log_is_refused_in_words() -> None:
    with pytest.raises(InvalidError, match="no gains of single classes: it was made by an older version"):
        trajectory([{"evaluations": 10, "seconds": 1.0}], 1)


def test_a_run_without_steps_has_no_stairs() -> None:
    assert trajectory([], 1).classes == {}


def test_a_slower_class_takes_longer_but_ends_with_the_run() -> None:
    """A failure costs the last image of a slow class, which would be drawn after the end."""
    quick = [{"evaluations": 10 * n, "seconds": 1.0 * n, "gains": [(0, n / 10)], "class": 0} for n in (1, 2)]
    slow = [
        {"evaluations": 20 + 10 * n, "seconds": 2 + 7.0 * n, "gains": [(1, n / 10)], "class": 1}
        for n in (1, 2)
    ]
    found = trajectory([*quick, *slow], 1)
    assert found.seconds == 16
    assert found.classes[0].seconds.tolist() == found.classes[1].seconds.tolist() == [8, 16]
    assert found.at([16], "seconds", [0, 1]).ravel().tolist() == [0.2, 0.2]


def test_a_run_under_way_counts_what_it_has() -> None:
    """The class whose turn it is has had fewer steps than those before it."""
    done = [event(n, [(0, 0.1 + n)], **{"class": 0}) for n in range(3)]
    found = trajectory([*done, event(3, [(1, 0.5)], **{"class": 1})], 1)
    assert found.passes == 40
    assert found.classes[0].passes.tolist() == [20, 30, 40]
    assert found.classes[1].passes.tolist() == [20]
