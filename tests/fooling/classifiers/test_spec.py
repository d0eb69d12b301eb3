"""A spec is checked at the border: a wrong one is refused in a line that says what was expected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fooling.classifiers import Crop, Preprocessing, Spec, from_module
from fooling.classifiers.spec import parse
from fooling.errors import InvalidError

GOOD: dict[str, Any] = {"name": "n", "size": 8, "colour": "rgb", "labels": ["a", "b"]}


def test_a_spec_survives_json():
    """It is kept in manifests."""
    data = {
        **GOOD,
        "wordnet": ["n01", "n02"],
        "groups": {"all": [0, 1]},
        "preprocessing": {"resize": {"size": 9}, "crop": {"size": 7, "views": "ten"}, "mean": [0, 0.5, 1]},
    }
    spec = parse(Spec, data, "x")
    assert parse(Spec, json.loads(spec.model_dump_json()), "x") == spec


@pytest.mark.parametrize("size", [(8, 8), [8, 8]])
def test_a_square_is_one_number_however_it_is_written(size, tiny):
    """Otherwise the same classifier has two fingerprints, and runs of it can't be resumed."""
    number, pair = (
        from_module(tiny, Spec(**{**GOOD, "labels": ("a", "b"), "size": each})) for each in (8, size)
    )
    assert pair.spec.size == 8
    assert pair.spec.model_dump_json() == number.spec.model_dump_json()
    assert pair.fingerprint == number.fingerprint


@pytest.mark.parametrize("size", [(6, 9), [6, 9]])
def test_a_rectangle_is_height_and_width(size):
    spec = parse(Spec, {**GOOD, "size": size, "preprocessing": {"crop": {"size": [4, 7]}}}, "x")
    assert (spec.size, spec.height, spec.width, spec.image_shape) == ((6, 9), 6, 9, (6, 9, 3))
    assert (spec.input_size, spec.input_shape) == ((4, 7), (3, 4, 7))
    assert parse(Spec, json.loads(spec.model_dump_json()), "x") == spec


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"colour": "gray"}, "^f.toml: colour: expected 'grey' or 'rgb', found 'gray'"),
        ({"size": "28"}, "^f.toml: size: expected a side of 1 to 4096 pixels, or .*, found .28."),
        ({"size": [4, 5, 6]}, "size: expected a side .*, found .4, 5, 6."),
        ({"size": [4, 0]}, "size: expected a side .*, found .4, 0."),
        ({"size": [True, 4]}, "size: expected a side .*, found .True, 4."),
        ({"size": 5000}, "size: expected a side of 1 to 4096 pixels"),
        ({"preprocessing": {"crop": {"size": [8, 9]}}}, "a crop of at most 8 x 8 pixels, found 8 x 9"),
        ({"size": 0}, "size: expected a side of 1 to 4096 pixels, or .*, found 0"),
        ({"lables": []}, "lables is not a key; did you mean labels"),
        ({"labels": []}, "labels"),
        ({"output": "softmax"}, "output: expected 'logits', 'sigmoid', 'probabilities' or 'scores'"),
        ({"wordnet": ["n01"]}, "expected 2 wordnet ids, one per label, found 1"),
        ({"groups": {"g": [0, 2]}}, "group 'g': expected class indices below 2, found 2"),
        ({"accuracy": 68.5}, "accuracy: expected a number less than or equal to 1"),
        (
            {"preprocessing": {"resise": {}}},
            "preprocessing.resise is not a key; did you mean preprocessing.resize",
        ),
        (
            {"preprocessing": {"crop": {"size": 4, "view": "ten"}}},
            "preprocessing.crop.view is not a key; did you mean preprocessing.crop.views",
        ),
        ({"preprocessing": {"crop": {"size": 9}}}, "expected a crop of at most 8 x 8 pixels, found 9 x 9"),
        ({"preprocessing": {"mean": [0.5]}}, "expected 3 numbers in mean, found 1"),
        ({"preprocessing": {"std": [1, 0, 1]}}, "expected positive numbers in std"),
        (
            {"preprocessing": {"mean": [0, 0, 0], "mean_image": "m.npy"}},
            "expected mean or mean_image, found both",
        ),
        ({"preprocessing": {"scale": 0}}, "scale: expected a number greater than 0"),
    ],
)
def test_a_wrong_spec_is_refused_in_one_line(changes, message):
    with pytest.raises(InvalidError, match=message) as caught:
        parse(Spec, {**GOOD, **changes}, "f.toml")
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named():
    with pytest.raises(InvalidError, match="expected labels, which is not there"):
        parse(Spec, {key: value for key, value in GOOD.items() if key != "labels"}, "f.toml")


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: Spec(**{**GOOD, "size": "8"}),
            "^Spec: size: expected a side of 1 to 4096 pixels, .*, found '8'$",
        ),
        (lambda: Spec(**GOOD, lables=[]), "^Spec: lables is not a key; did you mean labels"),  # type: ignore[call-arg]
        (lambda: Spec(**{**GOOD, "labels": "ab"}), "^Spec: labels: expected a list, found 'ab'$"),
        (lambda: Spec(**{**GOOD, "labels": {"a", "b"}}), "^Spec: labels: expected a list"),
        (lambda: Spec(name="n", size=8, colour="rgb"), "^Spec: expected labels, which is not there"),  # type: ignore[call-arg]
        (lambda: Preprocessing(std=[1.0, -1.0, 1.0]), "^Preprocessing: expected positive numbers in std"),  # type: ignore[arg-type]
        (lambda: Crop(size=8, views="tenn"), "^Crop: views: expected .* found 'tenn'; did you mean ten"),  # type: ignore[arg-type]
    ],
)
def test_in_python_too_a_mistake_is_one_line(make, message):
    """Notebook users would see pydantic's text of several lines, and `python:` sources its first, empty one."""
    with pytest.raises(InvalidError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_lists_are_taken_for_tuples():
    """Everyone writes a list."""
    keys: dict[str, Any] = {
        "wordnet": ["n1", "n2"],
        "groups": {"g": [1]},
        "preprocessing": {"mean": [0, 0.5, 1]},
    }
    spec = Spec(**GOOD, **keys)
    assert (spec.labels, spec.wordnet, spec.groups) == (("a", "b"), ("n1", "n2"), {"g": (1,)})
    assert spec.preprocessing == Preprocessing(mean=[0.0, 0.5, 1.0]) == Preprocessing(mean=(0.0, 0.5, 1.0))  # type: ignore[arg-type]
    assert hash(spec.labels)


@pytest.mark.parametrize(
    "colour, meant", [("gray", "grey"), ("grayscale", "grey"), ("Greyscale", "grey"), ("RGB", "rgb")]
)
def test_other_spellings_of_a_colour_are_told_ours(colour, meant):
    with pytest.raises(InvalidError, match=f"found '{colour}'; did you mean {meant}"):
        Spec(**{**GOOD, "colour": colour})


@pytest.mark.parametrize("label", ["", "  ", "dog\n", "hot\ndog", "a\u2028b", "\r"])
def test_labels_are_one_line_of_text_each(label):
    """An empty label names nothing; a line break would tear tables and files of labels apart."""
    with pytest.raises(InvalidError, match="labels: expected one line of text for class 1") as caught:
        Spec(**{**GOOD, "labels": ["cat", label]})
    assert "\n" not in str(caught.value)
