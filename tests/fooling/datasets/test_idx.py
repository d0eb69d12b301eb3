"""MNIST's file format: what is damaged is refused in one line, never read as other digits."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fooling.datasets import idx
from fooling.errors import InvalidError, NotFoundError


def encoded(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@given(
    array=arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3, max_side=5)),
    zipped=st.booleans(),
)
def test_what_was_written_is_read(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / "x-ubyte"
    path.write_bytes(gzip.compress(encoded(array)) if zipped else encoded(array))
    assert np.array_equal(idx.read(path), array)


GOOD = encoded(np.zeros((3, 2, 2), np.uint8))


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "expected an IDX file of bytes"),
        (b"\x00\x00\x0d\x01" + GOOD[4:], "expected an IDX file of bytes"),
        (b"PK\x03\x04" + GOOD[4:], "found 50 4b 03"),
        (GOOD[:9], "expected 3 dimensions, found the file cut off after 9 bytes"),
        (GOOD[:-1], r"expected 12 bytes of shape \(3, 2, 2\), found 11"),
        (GOOD + b"\x00", r"expected 12 bytes of shape \(3, 2, 2\), found 13"),
        (gzip.compress(GOOD, mtime=0)[:-5], "expected a complete gzip file"),
        (b"\x1f\x8b" + bytes(20), "expected a complete gzip file"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, data, message):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(InvalidError, match=message) as caught:
        idx.read(tmp_path / "x")
    assert "\n" not in str(caught.value)


def write(folder, part, images, labels, suffix=""):
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        (folder / f"{part}-{kind}-ubyte{suffix}").write_bytes(encoded(np.asarray(array, np.uint8)))


def test_a_folder_gives_training_and_test_set(tmp_path):
    write(tmp_path, "train", np.arange(24).reshape(6, 2, 2), range(6))
    write(tmp_path, "t10k", np.zeros((2, 2, 2)), [1, 0])
    assert idx.parts(tmp_path) == ["train", "test"]
    training, test = idx.read_part(tmp_path, "train"), idx.read_part(tmp_path, "test")
    assert training.images.shape == (6, 2, 2, 1)
    assert training.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(test) == 2


@pytest.mark.parametrize(
    "images, labels, message",
    [
        (np.zeros((3, 2, 2)), [0, 1], "expected 3 labels, found shape"),
        (np.zeros(3), [0, 1, 2], r"expected images \(n, height, width\), found shape \(3,\)"),
    ],
)
def test_images_and_labels_must_match(tmp_path, images, labels, message):
    write(tmp_path, "train", images, labels)
    with pytest.raises(InvalidError, match=message):
        idx.read_part(tmp_path, "train")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotFoundError, match="expected a file train-images-idx"):
        idx.read_part(tmp_path, "train")
    assert idx.parts(tmp_path) == []
    with pytest.raises(NotFoundError, match="expected an IDX file: No such file"):
        idx.read(tmp_path / "none")


def test_the_real_files_are_read(assets):
    training, test = (idx.read_part(assets / "mnist", split) for split in ("train", "test"))
    assert (len(training), len(test)) == (60_000, 10_000)
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    letters = idx.read_part(assets / "notmnist", "test")
    assert letters.images.shape == (10_000, 28, 28, 1)


def test_the_files_of_other_sets_are_found_by_their_names(tmp_path):
    """EMNIST's names begin with the set's; macOS leaves `._NAME` beside each; torchvision keeps both forms."""
    write(tmp_path, "emnist-letters-test", np.ones((2, 2, 2)), [1, 0])
    (tmp_path / "._emnist-letters-test-images-idx3-ubyte").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "emnist-letters-test-images-idx3-ubyte.gz").write_bytes(b"not read")
    assert idx.parts(tmp_path) == ["test"]
    assert idx.read_part(tmp_path, "test").labels.tolist() == [1, 0]
    write(tmp_path, "emnist-digits-test", np.ones((2, 2, 2)), [1, 0])
    with pytest.raises(InvalidError, match="expected the files of one data set, found emnist-digits"):
        idx.read_part(tmp_path, "test")
