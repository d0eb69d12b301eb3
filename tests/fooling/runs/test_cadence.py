"""When a run writes checkpoints."""

from __future__ import annotations

import pytest

from fooling.runs.engine import _pause


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(30, [1, 2, 4, 8, 16, 32, 62, 92]), (3600, [120, 240, 480, 960, 1920, 3840, 7440, 11040]), (0, [0] * 8)],
)
def test_the_first_checkpoints_come_soon(seconds: float, expected: list[float]) -> None:
    """Whoever watches a run sees what its checkpoints hold. A failure shows an empty page for half a minute, or spends the
    run's time on writing."""
    moments, now = [], 0.0
    for _ in expected:
        now += _pause(seconds, now)
        moments.append(now)
    assert moments == expected
