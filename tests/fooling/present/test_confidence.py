"""How confidences are worded. A failure here lets a report claim more certainty than was measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fooling.confidence import BANDS, band_of, format_confidence, shortest

float32s = st.floats(0, 1, width=32)


@pytest.mark.parametrize(
    ("confidence", "said"),
    [
        (1.0, "100 %"),
        (np.float32(0.99999994), "1 - 6e-8"),
        (0.99999997, "1 - 3e-8"),  # no float32: a mean of two
        (0.999999, "1 - 1e-6"),
        (0.999953, "99.9953 %"),
        (np.float32(0.9999), "99.9900 %"),
        (0.99989, "99.98 %"),
        (np.float32(0.99), "99.00 %"),
        (0.98999, "98.9 %"),
        (0.1, "10.0 %"),
        (0.0004, "4e-4"),
        (0.0, "0 %"),
        (math.nan, "–"),
    ],
)
def test_the_wording_of_known_confidences(confidence: float, said: str) -> None:
    assert format_confidence(confidence) == said


@given(float32s)
def test_only_an_exact_one_is_shown_as_100_percent(confidence: float) -> None:
    assert (format_confidence(confidence) == "100 %") == (confidence == 1.0)


@given(float32s.filter(lambda p: 0.001 <= p < 0.99999))
def test_a_percentage_never_states_more_than_was_measured(confidence: float) -> None:
    said = format_confidence(confidence)
    assert float(said.removesuffix(" %")) / 100 <= shortest(confidence) + 1e-12
    assert len(said) <= 10


@given(float32s)
def test_the_shortest_decimal_is_still_the_same_float32(confidence: float) -> None:
    assert np.float32(shortest(confidence)) == np.float32(confidence)


@given(st.lists(float32s | st.just(math.nan), min_size=1))
def test_every_confidence_lies_in_the_band_whose_limits_enclose_it(values: list[float]) -> None:
    confidence = np.array(values, np.float32)
    for value, band in zip(confidence, band_of(confidence), strict=True):
        if math.isnan(value):
            assert band == len(BANDS)
        else:
            assert value >= np.float32(BANDS[band].low)
            assert band == 0 or value < np.float32(BANDS[band - 1].low)
