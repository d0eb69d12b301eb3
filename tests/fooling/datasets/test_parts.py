"""Labelled images in the forms that people keep them in: each is read with the right classes, or refused in a line.
An image that gets another class makes a good network look bad, or its labels look right where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from fooling.datasets.names import Classes
from fooling.datasets.reading import read_samples, read_splits
from fooling.errors import InvalidError, NotFoundError

SHAPE = (4, 4, 1)
TWELVE = Classes(tuple(f"number {i}" for i in range(12)), owner="twelve")
BIRDS = Classes(
    ("crane, bird", "rock_dove", "Bird's nest", "ring-ouzel", "10"),
    ("n02012849", "n01811909", "n02843158", "n01562451", "n00000010"),
    "birds",
)


def picture(file, level=0):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), level).save(file)


def folders(root, names, images=("a", "b")):
    """A folder per name, in which every image's level is the position of the name."""
    for level, name in enumerate(names):
        for image in images:
            picture(root / name / f"{image}.png", level)


def classes_by_level(samples):
    """The class that the images of each level got."""
    levels = samples.images[:, 0, 0, 0].tolist()
    pairs = set(zip(levels, samples.labels.tolist(), strict=True))
    assert len(pairs) == len(set(levels)), "images of one folder have one class"
    return [label for _, label in sorted(pairs)]


@pytest.mark.parametrize(
    "names, classes, expected, form",
    [
        (["0", "1", "2", "10", "11"], TWELVE, [0, 1, 2, 10, 11], "class index"),
        (["000", "002", "010"], TWELVE, [0, 2, 10], "class index"),
        (["10", "crane", "birds nest"], BIRDS, [4, 0, 2], "label"),
        (["Rock Dove", "Crane, bird", "RING_OUZEL"], BIRDS, [1, 0, 3], "label"),
        (["n01811909", "n02012849"], BIRDS, [1, 0], "WordNet id"),
        (["n01811909_rock_dove", "n02012849-crane"], BIRDS, [1, 0], "WordNet id"),
        (["n01811909_rock_dove"], Classes(BIRDS.labels), [1], "WordNet id"),
        (["n01811909"], Classes(BIRDS.wordnet), [1], "label"),  # type: ignore[arg-type]
        (["0001_rock_dove", "0003-ring ouzel", "0000.crane"], BIRDS, [1, 3, 0], "class index"),
        (["number_10", "number-2"], TWELVE, [10, 2], "label"),
        (
            ["cafe\u0301", "A\u030angstro\u0308m"],
            Classes(("\u00c5ngstr\u00f6m", "caf\u00e9")),
            [1, 0],
            "label",
        ),
    ],
)
def test_class_folders_are_read_by_their_names_never_by_their_order(tmp_path, names, classes, expected, form):
    """torchvision's ImageFolder counts folders in the order of their names, where "10" comes before "2"."""
    folders(tmp_path, names)
    (tmp_path / ".DS_Store").touch()
    (tmp_path / names[0] / "._a.png").write_bytes(b"\0\5\26\7")
    (tmp_path / "empty").mkdir()
    found = read_samples(tmp_path, classes, SHAPE)
    assert classes_by_level(found) == expected
    assert found.form == f"class folders by {form}"
    assert found.doubts == ()


@pytest.mark.parametrize(
    "names, classes, message",
    [
        (["number 1", "number 2", "hare"], TWELVE, r"expected folders named by label, WordNet id or index \(below 12\) of twelve, found 1 of 3 that fit no class: 'hare'$"),
        (["0", "1", "12"], TWELVE, "found 1 of 3 that fit no class: '12'$"),
        ([str(i) for i in range(1, 13)], TWELVE, "fit no class: '12': indices count from 0 to 11"),
        (["n01811909", "n09999999"], BIRDS, "fit no class: 'n09999999'"),
        (["0000_crane", "0003_rock_dove"], BIRDS, "fit no class: '0003_rock_dove'"),
        (["bird"], Classes(("crane, bird", "dove, bird")), "fit no class: 'bird'"),
    ],
)  # fmt: skip
def test_folders_that_fit_no_class_are_refused_by_their_names(tmp_path, names, classes, message):
    folders(tmp_path, names)
    with pytest.raises(InvalidError, match=message) as caught:
        read_samples(tmp_path, classes, SHAPE)
    assert "\n" not in str(caught.value)


def test_of_split_folders_the_test_images_are_samples(tmp_path):
    folders(tmp_path / "train", ["number 3"])
    found = read_samples(tmp_path, TWELVE, SHAPE)
    assert (found.labels.tolist(), found.form) == ([3, 3], "class folders by label, train")
    assert "there are training images only" in found.doubts[0]
    folders(tmp_path / "Val", ["number 4"])
    assert read_samples(tmp_path, TWELVE, SHAPE).labels.tolist() == [4, 4]
    folders(tmp_path / "test", ["number 5"])
    (tmp_path / "annotations").mkdir()
    assert read_samples(tmp_path, TWELVE, SHAPE).labels.tolist() == [5, 5]


def test_a_class_may_be_called_train(tmp_path):
    folders(tmp_path, ["train", "bus"])
    assert classes_by_level(read_samples(tmp_path, Classes(("bus", "train")), SHAPE)) == [1, 0]


def test_split_folders_of_classes_are_training_data(tmp_path):
    names = ["2", "10", "0"]
    folders(tmp_path / "train", names)
    folders(tmp_path / "valid", names)
    training, test, labels = read_splits(tmp_path)
    assert labels == ("0", "2", "10")
    assert classes_by_level(training) == [1, 2, 0]
    assert classes_by_level(test) == [1, 2, 0]
    picture(tmp_path / "valid" / "11" / "a.png")
    _, _, labels = read_splits(tmp_path)
    assert labels == ("0", "2", "10", "11")
    Image.new("L", (5, 4)).save(tmp_path / "valid" / "11" / "a.png")
    with pytest.raises(InvalidError, match=r"a\.png: expected 4 x 4 pixels, as .* has, found 5 x 4"):
        read_splits(tmp_path)
    assert read_splits(tmp_path, (8, 8, 3))[1].images.shape == (7, 8, 8, 3)


def test_what_has_no_test_images_is_no_training_data(tmp_path):
    folders(tmp_path, ["a", "b"])
    with pytest.raises(
        InvalidError, match=r"expected training and test images .*, found images that are not split"
    ):
        read_splits(tmp_path)
    with pytest.raises(NotFoundError, match="found nothing there"):
        read_splits(tmp_path / "none")


@pytest.mark.parametrize(
    "text",
    [
        "\ufefffile,index\nx/0.png,0\nx/1.png,10\n",
        "file, index\nx/0.png, 0\nx/1.png, 10\n",
        "File;Index\r\nx/0.png;0\r\nx/1.png;10\r\n;\r\n",
        "\ufeffsep=;\nfile;index\nx/0.png;0\nx/1.png;10\n",
        "file\tindex\nx\\0.png\t0\nx\\1.png\t10\n",
        '"file" , "index"\n"x/0.png", "0"\n"x/1.png", "10"\n\n',
        "index,file,,\n0,x/0.png,,\n10,x/1.png,,\n",
        "file,label\nx/0.png,Number_0\nx/1.png, number 10 \n",
    ],
)
def test_a_table_is_read_however_it_was_written(tmp_path, text):
    """Editors and spreadsheets add marks, blanks, quotes, empty columns; countries part columns by semicolons."""
    for level in range(2):
        picture(tmp_path / "x" / f"{level}.png", level)
    (tmp_path / "samples.csv").write_bytes(text.encode())
    (tmp_path / "._samples.csv").write_bytes(b"\0\5\26\7")
    found = read_samples(tmp_path, TWELVE, SHAPE)
    assert classes_by_level(found) == [0, 10]
    assert found.form == "a CSV"


@pytest.mark.parametrize(
    "text, message",
    [
        ("f\u200bile,index\nx.png,0\n", r"found 'f\\u200bile', 'index'"),
        ("file,class index\nx.png,0\n", "found 'file', 'class index'"),
        ("x.png,0\ny.png,1\n", "expected a first line that names a column file and .*, found 'x.png', '0'"),
        ("file,index,index\nx.png,0,0\n", "expected columns of different names, found 'index' twice"),
        ("file|index\nx.png|0\n", r"found 'file\|index'"),
        ("file,index\nx.png,\u200b3\n", r"line 2: expected a class index, found '\\u200b3'"),
        ("file,index,split\nx.png,3,some\n", "line 2: expected a split: train, val or test, found 'some'"),
        ("file,index\n", "expected a line per image, found none"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    ],
)
def test_a_table_that_is_not_understood_is_shown_as_it_is(tmp_path, text, message):
    """What an editor doesn't show has to be seen in the error."""
    picture(tmp_path / "x.png")
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidError, match=message) as caught:
        read_samples(tmp_path / "s.csv", TWELVE, SHAPE)
    assert str(caught.value).isprintable()


def test_a_column_or_two_tables_may_part_training_and_test_images(tmp_path):
    for level in range(3):
        picture(tmp_path / f"{level}.png", level)
    table = tmp_path / "all.csv"
    table.write_text("file,label,split\n0.png,b,train\n1.png,a,train\n2.png,b,test\n")
    training, test, labels = read_splits(table)
    assert labels == ("a", "b")
    assert (training.labels.tolist(), test.labels.tolist()) == ([1, 0], [1])
    table.unlink()
    (tmp_path / "train.csv").write_text("file,index\n0.png,1\n1.png,0\n")
    (tmp_path / "test.csv").write_text("file,index,label\n2.png,1,bee\n")
    training, test, labels = read_splits(tmp_path)
    assert (training.labels.tolist(), test.labels.tolist()) == ([1, 0], [1])


def test_names_that_only_count_the_images_are_noticed(tmp_path):
    """0000.png, 0001.png, ...: each would be a sample of the class of its number."""
    for level in range(5):
        picture(tmp_path / f"{level:04}.png", level)
    found = read_samples(tmp_path, TWELVE, SHAPE)
    assert found.labels.tolist() == [0, 1, 2, 3, 4]
    assert "the 5 images are named 0 to 4, and each number was taken for a class" in found.doubts[0]
    five = Classes(tuple("abcde"), owner="five")
    assert read_samples(tmp_path, five, SHAPE).doubts == (), "one of each class"
    picture(tmp_path / "0005.png")
    with pytest.raises(
        InvalidError, match="expected a class below 5, found 5; the 6 images are named 0 to 5"
    ):
        read_samples(tmp_path, five, SHAPE)
    picture(tmp_path / "3_of_them.png")
    assert read_samples(tmp_path, TWELVE, SHAPE).doubts == ()


def test_images_beside_class_folders_are_refused(tmp_path):
    folders(tmp_path, ["number 1"])
    picture(tmp_path / "1.png")
    with pytest.raises(
        InvalidError, match=r"expected images in class folders only, found 1\.png beside them"
    ):
        read_samples(tmp_path, TWELVE, SHAPE)


def test_classes_of_arrays_are_found_by_their_names(tmp_path):
    """Arrays whose classes are in another order than the network's."""
    images = np.zeros((3, 4, 4), np.uint8)
    kept: dict[str, Any] = {"test_x": images, "test_y": np.array([0, 1, 1])}
    np.savez(tmp_path / "n.npz", **kept, classes=np.array(["dog", "cat"]))
    animals = Classes(("cat", "dog"), owner="animals")
    assert read_samples(tmp_path / "n.npz", animals, SHAPE).labels.tolist() == [1, 0, 0]
    np.savez(tmp_path / "i.npz", **kept)
    assert read_samples(tmp_path / "i.npz", animals, SHAPE).labels.tolist() == [0, 1, 1]
    with pytest.raises(InvalidError, match="expected a class below 1, found 1"):
        read_samples(tmp_path / "i.npz", Classes(("cat",)), SHAPE)
    with pytest.raises(
        InvalidError, match=r"expected images of shape \(4, 4, 3\) for animals, found \(4, 4, 1\)"
    ):
        read_samples(tmp_path / "i.npz", animals, (4, 4, 3))
