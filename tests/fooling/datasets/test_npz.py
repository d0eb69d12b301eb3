"""Training data in an .npz: what is wrong with it is said in one line, and reading it runs nobody's code."""

from __future__ import annotations

import contextlib
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fooling.datasets import npz
from fooling.datasets.reading import read_splits
from fooling.errors import InvalidError, NotFoundError


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
    training, test, classes = read_splits(write(tmp_path))
    assert np.array_equal(training.images, arrays()["train_x"])
    assert training.labels.dtype == np.int64
    assert training.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert (len(test), test.labels.tolist()) == (2, [1, 0])
    assert classes == ("cat", "dog")
    assert all(type(name) is str for name in classes), "a numpy string would not go into the spec's JSON"


def test_grey_images_need_no_channel_and_classes_no_names(tmp_path):
    grey = {"train_x": np.zeros((6, 4, 4), np.uint8), "test_x": np.zeros((2, 4, 4, 1), np.uint8)}
    training, test, classes = read_splits(write(tmp_path, **grey, classes=None, test_y=np.array([2, 0])))
    assert training.images.shape == (6, 4, 4, 1)
    assert test.images.shape == (2, 4, 4, 1)
    assert classes == ("0", "1", "2")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"test_y": None}, "expected arrays train_x, train_y, test_x, test_y, found .*: test_y is missing"),
        ({"train_x": np.zeros((6, 4, 4, 3))}, r"expected train_x uint8 of shape .*, found float64 \(6, 4, 4, 3\)"),
        ({"train_x": np.zeros((6, 3, 4, 4), np.uint8)}, r"\(n, height, width, 1 or 3\), found uint8 \(6, 3, 4, 4\)"),
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
        read_splits(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)


def test_a_pickle_is_never_opened(tmp_path):
    """An .npz may hold pickled objects, which run code when they are read."""
    path = write(tmp_path, classes=np.array(["cat", {"dog"}], object))
    with pytest.raises(InvalidError, match=r"expected an \.npz of plain arrays .*: Object arrays"):
        read_splits(path)


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
        training, test, classes = read_splits(path)
        assert np.array_equal(training.images, arrays()["train_x"])
        assert len(test) == 2
        assert classes in (("cat", "dog"), ("0", "1")), "the latter where the name of an array was damaged"


def test_a_file_that_would_fill_memory_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "_MOST_BYTES", 1000)
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_x.npy", bytes(2000))
    with pytest.raises(InvalidError, match="expected at most 1,000 bytes of arrays, found 2,000"):
        read_splits(path)


def test_what_is_not_there_is_said_with_what_to_give(tmp_path):
    with pytest.raises(NotFoundError, match=r"an \.npz, or the IDX files of MNIST; found nothing"):
        read_splits(tmp_path / "none.npz")
    (tmp_path / "digits.h5").write_text("a,b\n")
    with pytest.raises(InvalidError, match=r"expected class folders, .*; for IDX files name their folder"):
        read_splits(tmp_path / "digits.h5")


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("train_data", "train_targets", "val_data", "val_targets"),
        ("X_train", "Y_train", "X_test", "Y_test"),
    ],
)
def test_the_names_that_others_give_the_arrays_are_known(tmp_path, names):
    """Keras' mnist.npz, MedMNIST's files, torchvision's attributes; labels may be a column."""
    values = [arrays()[key] for key in ("train_x", "train_y", "test_x", "test_y")]
    values[1] = values[1][:, None]
    np.savez(tmp_path / "data.npz", **dict(zip(names, values, strict=True)), noise=np.array([{}], object))
    training, test, classes = read_splits(tmp_path / "data.npz")
    assert training.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert (len(test), classes) == (2, ("0", "1"))


def test_arrays_that_are_not_split_are_samples_and_no_training_data(tmp_path):
    np.savez(tmp_path / "data.npz", images=arrays()["test_x"], labels=np.array([1, 0]))
    parts, _ = npz.read_parts(tmp_path / "data.npz")
    assert list(parts) == [""]
    with pytest.raises(
        InvalidError, match=r"expected training and test images .*, found images that are not split"
    ):
        read_splits(tmp_path / "data.npz")


def test_the_real_cifar_10_is_read(assets):
    training, test, classes = read_splits(assets / "cifar10" / "cifar10.npz")
    assert training.images.shape == (20_000, 32, 32, 3)
    assert test.images.shape == (1_000, 32, 32, 3)
    assert (classes[0], classes[9], len(classes)) == ("airplane", "truck", 10)
