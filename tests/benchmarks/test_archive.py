"""The archive that is timed is right, and its memory is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    archive,
    memory,
)
from fooling.encodings.direct import DirectPopulation


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


def test_genes_tell_images_apart() -> None:
    """`archive.check` compares digests: images that are alike would hide a mistake."""
    ids, pixels, genotypes, _ = archive.chunks(archive.classified(8, 3, 0), 0, 8)[0]
    assert isinstance(genotypes, DirectPopulation)
    assert len(np.unique(genotypes.flat[:, 0])) == len(np.unique(pixels[:, 0, 0, 0])) == len(ids)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_is_measured_in_every_generation() -> None:
    found = memory.measure(16, 2)
    assert [each["generation"] for each in found["generations"]] == [0, 1, 2]
    assert found["generations"][-1]["images"] > 100, "so few images kept say nothing about a full archive"
    assert "| 2 |" in archive.memory_table(found)
