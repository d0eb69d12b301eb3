"""Training data in an .npz: what is wrong with it is said in one line, and reading it runs nobody's code."""

from __future__ import annotations

import contextlib
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fooling.errors import InvalidError, NotFoundError
from fooling.training import data, npz


def arrays(**changes):
    """Six training and two test images of two classes, with changes; None leaves an array out."""
    values = {
        "train_x": np.arange(6 * 4 * 4 * 3, dtype=np.uint8).reshape(6, 4, 4, 3),
        "train_y": np.array([0, 1, 0, 1, 0, 1], np.uint8),
        "test_x": np.zeros((2, 4, 4, 3), np.uint8),
        "test_y": np.array([1, 0]),
        "classes": np.array(["cat", "dog"]),
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def write(folder, **changes):
    path = folder / "data.npz"
    np.savez(path, **arrays(**changes))
    return path


def test_what_was_written_is_read(tmp_path):
    training, test, classes = data.read(write(tmp_path))
    assert np.array_equal(training.images, arrays()["train_x"])
    assert training.labels.dtype == np.int64
    assert training.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert (len(test), test.labels.tolist()) == (2, [1, 0])
    assert classes == ("cat", "dog")
    assert all(type(name) is str for name in classes), "a numpy string would not go into the spec's JSON"


def test_grey_images_need_no_channel_and_classes_no_names(tmp_path):
    grey = {"train_x": np.zeros((6, 4, 4), np.uint8), "test_x": np.zeros((2, 4, 4, 1), np.uint8)}
    training, test, classes = npz.read(write(tmp_path, **grey, classes=None, test_y=np.array([2, 0])))
    assert training.images.shape == (6, 4, 4, 1)
    assert test.images.shape == (2, 4, 4, 1)
    assert classes == ("0", "1", "2")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"test_y": None}, "expected arrays train_x, train_y, test_x, test_y, found .*: test_y is missing"),
        ({"train_x": np.zeros((6, 4, 4, 3))}, r"expected train_x uint8 of shape .*, found float64 \(6, 4, 4, 3\)"),
        ({"train_x": np.zeros((6, 3, 4, 4), np.uint8)}, r"\(n, side, side, 1 or 3\), found uint8 \(6, 3, 4, 4\)"),
        ({"test_x": np.zeros((2, 4, 4, 2), np.uint8)}, r"expected test_x .*found uint8 \(2, 4, 4, 2\)"),
        ({"test_x": np.zeros(2, np.uint8)}, r"expected test_x .*found uint8 \(2,\)"),
        ({"train_y": np.zeros(5, np.int64)}, r"expected train_y integers of shape \(6,\).*found int64 \(5,\)"),
        ({"train_y": np.zeros((6, 2), np.int64)}, r"one per image, found int64 \(6, 2\)"),
        ({"test_y": np.array([0.0, 1.0])}, "expected test_y integers .*found float64"),
        ({"test_y": np.array([0, -1])}, "expected test_y of 0 or more, found -1"),
        ({"test_y": np.array([0, 2])}, "expected labels from 0 to 1, as there are 2 classes, found 2"),
        ({"classes": np.array([b"cat", b"dog"])}, r"expected classes as text of shape \(K,\), found \|S3"),
        ({"classes": np.array("cat")}, r"expected classes as text of shape \(K,\)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_one_line(tmp_path, changes, message):
    path = write(tmp_path, **changes)
    with pytest.raises(InvalidError, match=message) as caught:
        data.read(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)


def test_a_pickle_is_never_opened(tmp_path):
    """An .npz may hold pickled objects, which run code when they are read."""
    path = write(tmp_path, classes=np.array(["cat", {"dog"}], object))
    with pytest.raises(InvalidError, match=r"expected an \.npz of plain arrays .*: Object arrays"):
        data.read(path)


@given(drawn=st.data())
def test_a_damaged_file_is_refused_or_read_as_it_was(tmp_path_factory, drawn):
    """Never a traceback, never other images. (Parts of a zip mean nothing.)"""
    folder = tmp_path_factory.mktemp("npz")
    path = write(folder)
    content = bytearray(path.read_bytes())
    place = drawn.draw(st.integers(0, len(content) - 1))
    if drawn.draw(st.booleans(), label="cut off"):
        del content[place:]
    else:
        content[place] ^= drawn.draw(st.integers(1, 255))
    path.write_bytes(content)
    with contextlib.suppress(InvalidError):
        training, test, classes = data.read(path)
        assert np.array_equal(training.images, arrays()["train_x"])
        assert len(test) == 2
        assert classes in (("cat", "dog"), ("0", "1")), "the latter where the name of an array was damaged"


def test_a_file_that_would_fill_memory_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "_MOST_BYTES", 1000)
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_x.npy", bytes(2000))
    with pytest.raises(InvalidError, match="expected at most 1,000 bytes of arrays, found 2,000"):
        data.read(path)


def test_what_is_not_there_is_said_with_what_to_give(tmp_path):
    with pytest.raises(NotFoundError, match=r"four files of MNIST, or an \.npz .*; found nothing"):
        data.read(tmp_path / "none.npz")
    (tmp_path / "digits.csv").write_text("a,b\n")
    with pytest.raises(InvalidError, match=r"expected an \.npz of plain arrays"):
        data.read(tmp_path / "digits.csv")


def test_the_real_cifar_10_is_read(assets):
    training, test, classes = data.read(assets / "cifar10" / "cifar10.npz")
    assert training.images.shape == (20_000, 32, 32, 3)
    assert test.images.shape == (1_000, 32, 32, 3)
    assert (classes[0], classes[9], len(classes)) == ("airplane", "truck", 10)
