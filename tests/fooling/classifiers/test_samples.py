"""Labelled images are read in each documented form, prepared as for evaluation, and never mislabelled."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fooling.classifiers import samples
from fooling.errors import InvalidError, NotFoundError


@pytest.fixture
def folder(tmp_path):
    """Three images of 12 x 12 whose grey value is their class."""
    for index in (0, 1, 4):
        Image.new("RGB", (12, 12), (index, index, index)).save(tmp_path / f"{index:04d}_x.png")
    return tmp_path


def table(folder, text):
    (folder / "photos.csv").write_text(text)
    return folder


def check(found):
    assert found.images.dtype == np.uint8
    assert found.images.shape[1:] == (12, 12, 3)
    assert found.labels.tolist() == found.images[:, 0, 0, 0].tolist()
    return found.labels.tolist()


def test_a_folder_of_names_that_start_with_the_class(folder, spec):
    """The form of a run's own elites, and of many image folders."""
    assert check(samples.read(folder, spec())) == [0, 1, 4]


@pytest.mark.parametrize("column, values", [("index", "014"), ("wnid", ["n0", "n1", "n4"]), ("label", "abe")])
def test_a_csv_names_files_and_classes(folder, spec, column, values):
    rows = "".join(f"{i:04d}_x.png,{value}\n" for i, value in zip((0, 1, 4), values, strict=True))
    table(folder, f"file,{column}\n{rows}")
    known = spec(wordnet=("n0", "n1", "n2", "n3", "n4"))
    assert check(samples.read(folder, known)) == [0, 1, 4]
    assert check(samples.read(folder / "photos.csv", known)) == [0, 1, 4]


def test_columns_that_disagree_are_refused(folder, spec):
    """Classes in another order than the labels': accuracy would be zero with no hint why."""
    table(folder, "index,wnid,file\n0,n1,0000_x.png\n")
    known = spec(wordnet=("n0", "n1", "n2", "n3", "n4"))
    with pytest.raises(
        InvalidError, match=r"line 2: expected one class, found index 0 .*wnid n1 \(class 1\)"
    ):
        samples.read(folder, known)
    assert check(samples.read(folder, spec())) == [0], "without WordNet ids there is nothing to compare with"


@pytest.mark.parametrize(
    "text, error, message",
    [
        ("", InvalidError, "expected a line of column names"),
        (
            "name,index\nx.png,0\n",
            InvalidError,
            "expected a first line that names a column file and one of index, wnid, label, found 'name'",
        ),
        ("file,index\n0000_x.png,5\n", InvalidError, "line 2: expected a class below 5, found 5"),
        ("file,index\n0000_x.png,-1\n", InvalidError, "expected a class index, found '-1'"),
        ("file,index\n0000_x.png\n", InvalidError, "line 2: expected 2 columns"),
        ("file,index\n0000_x.png,\n", InvalidError, "line 2: expected a class in index"),
        ("file,label\n0000_x.png,z\n", InvalidError, "found 'z' 0 times"),
        ("file,index\nno.png,0\n", NotFoundError, r"no\.png: expected an image, found no such file"),
        ("file,index\nphotos.csv,0\n", InvalidError, "photos.csv: expected an image"),
    ],
)
def test_a_wrong_csv_is_refused_in_one_line(folder, spec, text, error, message):
    with pytest.raises(error, match=message) as caught:
        samples.read(table(folder, text), spec())
    assert "\n" not in str(caught.value)


def test_a_label_that_two_classes_have_does_not_pick_one(folder, spec):
    table(folder, "file,label\n0000_x.png,crane\n")
    with pytest.raises(InvalidError, match="found 'crane' 2 times"):
        samples.read(folder, spec(labels=("crane", "a", "b", "c", "crane")))


def test_names_without_a_class_and_empty_folders_are_refused(tmp_path, spec):
    with pytest.raises(InvalidError, match="found none of these"):
        samples.read(tmp_path, spec())
    Image.new("RGB", (12, 12)).save(tmp_path / "shark.png")
    with pytest.raises(InvalidError, match=r"shark\.png: expected a name that starts with the class index"):
        samples.read(tmp_path, spec())
    with pytest.raises(NotFoundError, match="found nothing there"):
        samples.read(tmp_path / "none", spec())
    (tmp_path / "a.csv").touch()
    (tmp_path / "b.csv").touch()
    with pytest.raises(InvalidError, match="expected one CSV, found 2"):
        samples.read(tmp_path, spec())


@pytest.mark.parametrize("size, side", [(12, 28), (28, 28), (30, 30), (32, 32)])
def test_the_centre_is_seven_eighths_or_the_native_size(tmp_path, spec, size, side):
    """A photo of 32 x 40: the centre 28 for small networks; for those of 30, the 30 pixels there are."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    found = samples.read(tmp_path, spec(size=size)).images[0]
    top, left = (32 - side) // 2, (40 - side) // 2
    crop = Image.fromarray(pixels[top : top + side, left : left + side])
    expected = np.asarray(crop.resize((size, size), Image.Resampling.BILINEAR))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((12, 24), (2, 1, 33, 17)),  # of the 19 x 38 of that aspect ratio, seven eighths
        ((18, 36), (1, 1, 36, 18)),  # as many pixels as it takes
        ((24, 6), (16, 0, 5, 20)),  # or as there are
        ((10, 2), (17, 1, 4, 18)),
    ],
)
def test_photographs_are_cut_to_the_aspect_ratio_of_a_rectangle(tmp_path, spec, size, box):
    """Stretched instead, they are things that the network was not trained on."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 38, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    found = samples.read(tmp_path, spec(size=size)).images[0]
    left, top, width, height = box
    crop = Image.fromarray(pixels[top : top + height, left : left + width])
    expected = np.asarray(crop.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    assert np.array_equal(found, expected)


def test_an_image_of_the_native_size_is_taken_as_it_is(tmp_path, spec):
    """An elite's PNG holds exactly the pixels that were classified."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "0002.png")
    assert np.array_equal(samples.read(tmp_path, spec()).images[0], pixels)
    grey = samples.read(tmp_path, spec(colour="grey")).images
    assert grey.shape == (1, 12, 12, 1)


def test_an_image_that_unfolds_into_gigabytes_is_refused(tmp_path, spec):
    Image.new("1", (40_000, 2_000)).save(tmp_path / "0.png")
    assert (tmp_path / "0.png").stat().st_size < 100_000
    with pytest.raises(InvalidError, match="expected at most 64,000,000 pixels, found 40000 x 2000"):
        samples.read(tmp_path, spec())


def test_mnist_itself_is_read(assets, spec):
    found = samples.read(assets / "mnist", spec(size=28, colour="grey", labels=tuple("0123456789")))
    assert found.images.shape == (10_000, 28, 28, 1)
    with pytest.raises(
        InvalidError, match=r"expected images of shape \(12, 12, 3\) for tiny, found \(28, 28, 1\)"
    ):
        samples.read(assets / "mnist", spec())


def test_the_photos_agree_with_their_wordnet_ids(assets, spec):
    words = (assets / "imagenet" / "synset_words.txt").read_text().splitlines()
    known = spec(
        size=32,
        labels=tuple(line.partition(" ")[2] for line in words),
        wordnet=tuple(line.partition(" ")[0] for line in words),
    )
    found = samples.read(assets / "photos.csv", known)
    assert found.labels.tolist() == list(range(0, 1000, 5))
    by_name = samples.read(assets / "photos200", known)
    assert np.array_equal(by_name.images, found.images)
