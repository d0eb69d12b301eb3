"""`fooling train` as a user calls it: every architecture, both kinds of data, helpful refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fooling.classifiers import architectures


@pytest.fixture
def colours(tmp_path):
    """An .npz of 32 x 32 images in colour, red or blue."""
    labels = np.arange(120) % 2
    images = np.random.default_rng(0).integers(0, 99, (120, 32, 32, 3), dtype=np.uint8)
    images[np.arange(120), :, :, 2 * labels] += 150
    path = tmp_path / "colours.npz"
    np.savez(path, train_x=images[:90], train_y=labels[:90], test_x=images[90:], test_y=labels[90:],
             classes=["red", "blue"])  # fmt: skip
    return path


def test_an_npz_trains_a_network_that_can_be_evolved_against(fooling, colours, tmp_path):
    result = fooling(
        "train", colours, "--architecture", "resnet-cifar", "--epochs", 3, "--json", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["recipe"]["augmentation"] == "crop-flip"
    assert told["recipe"]["epochs"] == 3
    assert told["test"]["accuracy"] > 0.9
    assert result.stderr.count("epoch ") == 3
    info = json.loads(fooling("models", "info", f"file:{told['file']}", "--json", cwd=tmp_path).stdout)
    assert (info["labels"], info["size"], info["colour"]) == (["red", "blue"], 32, "rgb")


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (["colours.npz"], 3, "expected training images of shape (28, 28, 1) for lenet, found (32, 32, 3); "
                             "for those: resnet-cifar"),
        (["colours.npz", "--architecture", "resnet"], 3, "unknown architecture 'resnet'"),
        (["nothing"], 4, "nothing: expected class folders, images named by class index, a CSV"),
    ],
)  # fmt: skip
def test_what_it_cannot_train_on_is_said_in_one_line(fooling, colours, tmp_path, arguments, code, message):
    result = fooling("train", *arguments, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["colours.npz"]


def test_the_help_names_every_architecture(fooling):
    """It is written out there, since help must not wait for torch."""
    text = " ".join(fooling("train", "--help").stdout.replace("-\n", "-").split())
    for name in architectures.ARCHITECTURES:
        assert name in text.replace("- ", "-"), f"{name} is not in the help"
