"""The measurements of gradient ascent measure what they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from benchmarks import ascent
from docs.results.make import ascent as pages
from fooling import classifiers
from fooling.classifiers import Numerics


def test_noise_is_fine_and_blurred_noise_is_coarse() -> None:
    """The page says of which settings the structures are larger: by this figure."""
    noise = np.random.default_rng(0).normal(128, 40, (3, 64, 64, 3)).clip(0, 255)
    smooth = gaussian_filter(noise, (0, 4, 4, 0))
    share = np.pi * pages.COARSE**2
    assert pages.coarse(noise.astype(np.uint8)) == pytest.approx(share, rel=0.1)
    assert pages.coarse((128 + 4 * (smooth - 128)).clip(0, 255).astype(np.uint8)) > 0.9


def test_a_measured_step_is_of_a_whole_batch() -> None:
    """Else a step would be compared with a pass of another size."""
    classifier = classifiers.load("builtin:lenet", numerics=Numerics(batch=ascent.BATCH))
    rows: list[int] = []
    classifier.network.register_forward_hook(lambda module, given, out: rows.append(len(out)))
    found = ascent.measure(classifier, rounds=1, all_settings=False)
    assert set(rows) == {ascent.BATCH}
    assert set(found) == {"bare", "no regulariser"}
    assert len(ascent.rows("lenet", found)) == 1


def test_pictures_fit_a_repository(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    page = pages.tiles([noise, noise], ["a", "b"], list("wxyz"), 128)
    pages.write(page, tmp_path / "page.webp")
    assert (tmp_path / "page.webp").stat().st_size <= pages.LARGEST_FILE
