"""Lines as text. A failure makes a shared address show other images than it did, or lets a stranger's text in."""

from __future__ import annotations

import numpy as np
import pytest

from cppn.keys import Keys
from cppn.variation import Rates, initialise
from fooling.errors import InvalidError
from fooling.search.line import start
from fooling.search.line.steps import CHILDREN, LONGEST, MOST_STEPS, Step, from_text, to_text


@pytest.mark.parametrize("text", ["", "m50", "3.7x1m50_m80", "x0m0", "0.1.2.3.4.5.6.7.8.9.10x11m100"])
def test_a_text_has_one_reading_and_back(text):
    assert to_text(from_text(text)) == text


def test_steps_say_what_was_chosen():
    assert from_text("3.7x1m50_m80") == (Step((3, 7), (1,), 50), Step((), (), 80))


@pytest.mark.parametrize(
    "text",
    ["_", "3", "m101", "m-1", "m05", "3.3m50", "7.3m50", "12m50", "3x3m50", "3xm50", "03m50", ".m50", "3m50_", "٣m50",
     "m50 ", "/etc/passwd", "<script>", "_".join(["m50"] * (MOST_STEPS + 1)), "1" * (LONGEST + 1)],
)  # fmt: skip
def test_what_is_no_line_is_refused_without_repeating_it(text):
    with pytest.raises(InvalidError) as found:
        from_text(text)
    assert len(text) < 4 or text not in str(found.value)


def test_a_longest_line_fits():
    """A failure would refuse a line in the middle of somebody's work."""
    half = CHILDREN // 2
    step = Step(tuple(range(half)), tuple(range(half, CHILDREN)), 100)
    assert len(to_text([step] * MOST_STEPS)) <= LONGEST


def test_a_genotype_as_text_is_the_same_genotype():
    population = initialise(Keys.of_generation(3, 0, 4), 3, Rates())
    again = start.from_text(start.to_text(population, 2))
    assert again.canonical_bytes(0) == population.canonical_bytes(2)


def broken(change):
    data = bytearray(initialise(Keys.of_generation(3, 0, 1), 3, Rates()).canonical_bytes(0))
    return change(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 12,
        broken(lambda data: data[:-1]),
        broken(lambda data: bytes(12) + data[12:]),
        broken(lambda data: data[:4] + b"\xff\xff\xff\x7f" + data[8:]),  # two thousand million nodes
        broken(lambda data: data[:12] + b"\xff" * 3 + data[15:]),  # no such activation
        broken(lambda data: data[:15] + b"\x07\0\0\0" + data[19:]),  # an edge from nowhere
        broken(lambda data: data[:-4] + np.float32(np.nan).tobytes()),
    ],
)
def test_hostile_genotypes_are_refused(data):
    """A failure hands a kernel, which checks no bounds, a stranger's numbers."""
    import base64

    with pytest.raises(InvalidError):
        start.from_text(base64.urlsafe_b64encode(bytes(data)).decode())
    with pytest.raises(InvalidError):
        start.from_text("not base64!")
