"""From numbers to bytes, held against colorsys and OpenCV."""

from __future__ import annotations

import colorsys
import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from cppn.rendering.colour import to_bytes

# SHA-256 of what OpenCV 4.14 makes of all triples of bytes, h slowest and s fastest:
# cv2.cvtColor(triples, cv2.COLOR_HLS2RGB).
OPENCV_HLS = "5a3fecf1f2350f206c6adcc39c09fcac21c3c8a7ff803a0834e62526f5d5cd43"
BYTES = (np.arange(256, dtype=np.float32) + np.float32(0.5)) / np.float32(255)  # cut to 0, 1, ... 255


def numbers(count: int = 5000) -> NDArray[np.float32]:
    """(1, count, 1, 3) in [0, 1], the corners of the cube among them."""
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), -1).reshape(-1, 3)
    inside = np.random.default_rng(0).random((count - 8, 3))
    return np.concatenate([corners, inside]).astype(np.float32).reshape(1, count, 1, 3)


@pytest.mark.parametrize("colour", ["hls", "hsv"])
def test_rounded_colours_are_those_of_colorsys(colour: str) -> None:
    """A failure costs the colours of every image. float32 may fall on the other side of a half."""
    convert = getattr(colorsys, f"{colour}_to_rgb")
    values = numbers()
    exact = np.array([convert(*triple) for triple in values.reshape(-1, 3).tolist()])
    found = to_bytes(values, colour, "rounded", 3).reshape(-1, 3)
    assert np.abs(found - 255 * exact).max() <= 0.5 + 1e-4


def test_released_hls_is_opencv_s_for_every_triple_of_bytes() -> None:
    """A failure costs the comparison with the published images, whose colours OpenCV made."""
    digest = hashlib.sha256()
    plane = np.empty((1, 256, 256, 3), np.float32)
    plane[..., 1], plane[..., 2] = BYTES[:, None], BYTES
    for hue in BYTES:
        plane[..., 0] = hue
        digest.update(to_bytes(plane, "hls", "released", 3).tobytes())
    assert digest.hexdigest() == OPENCV_HLS


@pytest.mark.parametrize("colour", ["hls", "hsv"])
def test_a_released_hue_wraps_after_180_units(colour: str) -> None:
    """A failure costs the released quirk that makes hues from 0 to 150 degrees twice as likely."""
    values = np.full((1, 256, 1, 3), 0.7, np.float32)
    values[0, :, 0, 0] = BYTES
    hues = to_bytes(values, colour, "released", 3)[0, :, 0]
    assert np.array_equal(hues[180:], hues[:76])
    assert len(np.unique(hues[:180], axis=0)) > 170


def test_a_released_hsv_is_that_of_colorsys_to_the_nearest_byte() -> None:
    """A failure costs the hsv variant of the released settings."""
    values = np.random.default_rng(1).integers(0, 256, (1, 3000, 1, 3))
    exact = [colorsys.hsv_to_rgb(h / 180 % 1, s / 255, v / 255) for h, s, v in values.reshape(-1, 3)]
    found = to_bytes(BYTES[values], "hsv", "released", 3).reshape(-1, 3)
    assert np.abs(found - 255 * np.array(exact)).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("colour, numbers_of", [("grey", 1), ("rgb", 3)])
def test_rounding_and_cutting_of_plain_channels(colour: str, numbers_of: int) -> None:
    """A failure costs half a level of brightness, or images that differ from the release's."""
    v = np.array([0.0, 0.49, 0.5, 0.51, 1.0, 1.5, 127.49, 254.4, 254.6, 255.0], np.float32)
    values = np.repeat((v / np.float32(255)).reshape(1, -1, 1, 1), numbers_of, axis=3)
    rounded = to_bytes(values, colour, "rounded", numbers_of)[0, :, 0]
    released = to_bytes(values, colour, "released", numbers_of)[0, :, 0]
    assert rounded[:, 0].tolist() == [0, 0, 1, 1, 1, 2, 127, 254, 255, 255]
    assert released[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 127, 254, 254, 255]
    assert (rounded == rounded[:, :1]).all()


@pytest.mark.parametrize("quantisation", ["rounded", "released"])
@pytest.mark.parametrize("colour", ["grey", "hls", "hsv", "rgb"])
def test_numbers_count_by_their_absolute_value_up_to_one(colour: str, quantisation: str) -> None:
    """A failure costs half of a network's range: outputs in [-1, 0) would be black, or wrap around."""
    values = numbers()[..., : 1 if colour == "grey" else 3]
    folded = to_bytes(values, colour, quantisation, 3)
    assert np.array_equal(to_bytes(-values, colour, quantisation, 3), folded)
    beyond = np.where(values == 1, np.float32(77), values)
    assert np.array_equal(to_bytes(beyond, colour, quantisation, 3), folded)
    assert (to_bytes(np.full_like(values, np.nan), colour, quantisation, 3) == 0).all()


def test_grey_may_have_three_channels_that_are_alike() -> None:
    """A failure costs grey images for colour classifiers."""
    values = numbers()[..., :1]
    grey = to_bytes(values, "grey", "rounded", 1)
    assert np.array_equal(to_bytes(values, "grey", "rounded", 3), np.repeat(grey, 3, axis=3))


@pytest.mark.parametrize("shape", [(0, 5, 5, 3), (2, 3, 5, 3), (3, 40, 40, 3)])
def test_images_of_any_shape_and_layout(shape: tuple[int, int, int, int]) -> None:
    """A failure costs pixels in the wrong place: a view of genes is not always contiguous."""
    values = np.random.default_rng(0).random(shape, np.float32)
    images = to_bytes(values, "rgb", "rounded", 3)
    assert images.shape == shape
    assert np.array_equal(images, np.floor(values * np.float32(255) + np.float32(0.5)))
    turned = np.ascontiguousarray(values.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
    assert np.array_equal(to_bytes(turned, "rgb", "rounded", 3), images)


@pytest.mark.parametrize(
    "values, colour, quantisation, channels, message",
    [
        (
            np.zeros((1, 2, 2, 3), np.float32),
            "grey",
            "rounded",
            1,
            r"\(n, height, width, 1\) for grey, found",
        ),
        (np.zeros((2, 2, 3), np.float32), "rgb", "rounded", 3, r"found float32 of shape \(2, 2, 3\)"),
        (np.zeros((1, 2, 2, 3)), "rgb", "rounded", 3, "expected float32 values .* found float64"),
        (np.zeros((1, 2, 2, 3), np.float32), "rgb", "rounded", 1, "expected 3 channels for the colour rgb"),
        (np.zeros((1, 2, 2, 3), np.float32), "xyz", "rounded", 3, "expected a colour of grey, hls, hsv, rgb"),
    ],
)
def test_what_makes_no_image_is_refused(
    values: NDArray, colour: str, quantisation: str, channels: int, message: str
) -> None:
    """A failure costs a crash, or a picture of something else."""
    with pytest.raises(ValueError, match=message):
        to_bytes(values, colour, quantisation, channels)
