"""Where climbs begin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cppn.keys import Keys
from fooling.classifiers import Crop, Preprocessing
from fooling.errors import InvalidError, NotFoundError
from fooling.search.ascent.starts import begin, mean_of, read
from fooling.search.settings import GradientAscentSettings

SHAPE = (64, 64, 3)
GREY = np.full((1, 1, 3), 0.5, np.float32)


def starts(count: int = 3, seed: int = 0, mean: Any = GREY, given: Any = None, **values: Any) -> Any:
    settings = GradientAscentSettings(**values)
    return begin(settings, Keys.of_generation(seed, 0, count), mean, given, SHAPE)


def test_the_mean_has_unit_noise_in_grey_levels() -> None:
    """The authors' X ~ N(0, 1), in 0 to 255: other noise is another start."""
    mean = np.array([[[0.2, 0.5, 0.7]]], np.float32)
    found = starts(start="mean", mean=mean)
    assert np.allclose((found - mean).std(axis=(1, 2, 3)) * 255, 1, atol=0.02)
    assert np.allclose(found.mean(axis=(1, 2)), mean[0], atol=1e-3)
    assert np.array_equal(starts(noise=0.0, mean=mean)[0], np.broadcast_to(mean, SHAPE))


def test_grey_is_grey_whatever_the_mean() -> None:
    assert np.allclose(starts(start="grey", mean=0 * GREY).mean(), 0.5, atol=1e-3)


def test_uniform_noise_fills_the_range() -> None:
    found = starts(start="uniform")
    assert found.min() < 0.001
    assert found.max() > 0.999
    assert abs(found.mean() - 0.5) < 0.01


@pytest.mark.parametrize("start", ["mean", "uniform"])
def test_each_climb_has_noise_of_its_own(start: Any) -> None:
    """Else ten starts would be one; and a climb's must not depend on its chunk."""
    whole = starts(6, start=start)
    assert len(np.unique(whole.reshape(6, -1), axis=0)) == 6
    part = begin(GradientAscentSettings(start=start), Keys.of_generation(0, 0, 6)[2:4], GREY, None, SHAPE)
    assert np.array_equal(part, whole[2:4])
    assert not np.array_equal(starts(6, seed=1, start=start), whole)


def test_given_images_go_round_for_each_class() -> None:
    given = np.arange(2, dtype=np.uint8).reshape(2, 1, 1, 1) * np.full(SHAPE, 100, np.uint8)
    found = starts(6, start="images", images="x", starts=3, noise=0.0, given=given)
    assert np.allclose(found[:, 0, 0, 0] * 255, [0, 100, 0, 0, 100, 0])


ARRAY = np.random.default_rng(1).random((3, 14, 14), np.float32)


@pytest.mark.parametrize(
    ("steps", "colour", "expected"),
    [
        ({}, "rgb", [0.5, 0.5, 0.5]),
        ({"std": (0.2, 0.2, 0.2)}, "rgb", [0.5, 0.5, 0.5]),
        ({"mean": (0.4, 0.5, 0.6)}, "rgb", [0.4, 0.5, 0.6]),
        ({"mean": (51.0, 102.0, 153.0), "scale": 255.0, "channels": "bgr"}, "rgb", [0.6, 0.4, 0.2]),
        ({"mean": (0.3,), "channels": "grey"}, "rgb", [0.3, 0.3, 0.3]),
        ({"mean": (0.3, 0.4, 0.8), "channels": "rgb"}, "grey", [0.5]),
        ({"mean": (-2.0, 0.4, 7.0)}, "rgb", [0.0, 0.4, 1.0]),
    ],
)
def test_the_mean_colour_of_a_spec(steps: Any, colour: str, expected: list[float], wrap: Any) -> None:
    found = mean_of(wrap(colour=colour, preprocessing=Preprocessing(**steps)))
    assert np.allclose(found.ravel(), expected)


def test_the_mean_image_of_a_spec(wrap: Any) -> None:
    """In the image's own size and channels, although the spec gives the network's."""
    array = 255 * ARRAY
    steps = Preprocessing(mean_image="m.npy", scale=255.0, channels="bgr", crop=Crop(size=8))
    same = mean_of(wrap(size=14, preprocessing=steps, array=array))
    assert np.allclose(same, ARRAY.transpose(1, 2, 0)[..., ::-1], atol=1e-6)
    smaller = mean_of(wrap(preprocessing=steps, array=array))
    assert smaller.shape == (10, 10, 3)
    assert np.allclose(smaller.mean((0, 1)), same.mean((0, 1)), atol=0.03)


def test_images_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        Image.new("RGB", (6, 6), (number, 0, 0)).save(tmp_path / f"{number}.png")
    assert read(tmp_path, (6, 6, 3))[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert read(tmp_path / "2.png", (6, 6, 3)).shape == (1, 6, 6, 3)


def test_an_image_that_does_not_fit_is_named(tmp_path: Path) -> None:
    """To resize it silently would climb from something else than what the user gave."""
    Image.new("RGB", (7, 6)).save(tmp_path / "a.png")
    with pytest.raises(
        InvalidError, match=r"a\.png: expected a PNG of 6 x 6 pixels .*RGB.*found 6 x 7, mode RGB"
    ):
        read(tmp_path, (6, 6, 3))
    with pytest.raises(InvalidError, match=r"grey \(mode L\).*found 6 x 7, mode RGB"):
        read(tmp_path, (6, 7, 1))
    (tmp_path / "b.png").write_bytes(b"no PNG")
    with pytest.raises(InvalidError, match=r"b\.png: expected a PNG"):
        read(tmp_path / "b.png", (6, 6, 3))
    with pytest.raises(NotFoundError, match="no file or folder"):
        read(tmp_path / "none.png", (6, 6, 3))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="expected PNG files"):
        read(tmp_path / "empty", (6, 6, 3))
