"""Features and logits are what an audit and an explanation read: they must be those of the images that were
classified, and of nobody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fooling import classifiers
from fooling.classifiers import ClassifierError, Crop, Preprocessing

LENET = classifiers.load("builtin:lenet")
PIXELS = np.random.default_rng(0).integers(0, 256, (70, 28, 28, 1), dtype=np.uint8)
COLOURS = np.random.default_rng(1).integers(0, 256, (6, 12, 12, 3), dtype=np.uint8)


def test_logits_of_pixels_are_those_of_the_confidences():
    """A failure would explain other numbers than those that the archive states."""
    logits = LENET.logits(PIXELS)
    assert np.array_equal(torch.from_numpy(logits).softmax(1).numpy(), LENET.classify(PIXELS))
    of_tensor = LENET.logits(torch.from_numpy(PIXELS))
    assert np.array_equal(of_tensor.numpy(), logits)


def test_a_layer_gives_what_the_plain_network_computes_there():
    images = torch.from_numpy(PIXELS).permute(0, 3, 1, 2).float() / 255
    assert LENET.layers() == ("conv1", "conv2", "ip1", "ip2")
    with torch.no_grad():
        maps = LENET.network.conv1(images)
    assert np.abs(LENET.features(PIXELS, "conv1") - maps.mean((2, 3)).numpy()).max() < 1e-5
    assert LENET.features(PIXELS, "ip1").shape == (70, 500)
    assert np.array_equal(LENET.features(PIXELS, "ip2"), LENET.logits(PIXELS))
    assert LENET.features(PIXELS[:0], "ip1").shape == (0, 0)


def test_the_penultimate_features_are_those_that_the_logits_are_made_of():
    """A failure would let a detector read something else than what decides."""
    assert LENET.penultimate == "ip2:input"
    found = torch.from_numpy(LENET.features(PIXELS, LENET.penultimate))
    logits = LENET.network.ip2(found).detach().numpy()
    assert np.abs(logits - LENET.logits(PIXELS)).max() < 1e-4


def test_threads_do_not_get_each_other_s_features():
    """Evaluators share one network: a hook of one must not record the images of another."""
    expected = LENET.features(PIXELS, "ip1")

    def ask(start: int) -> bool:
        torch.set_num_threads(1)
        found = LENET.features(PIXELS[start : start + 10], "ip1")
        return np.array_equal(found, expected[start : start + 10])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, [0, 10, 20, 30, 40, 50, 60] * 4))
    assert not LENET.network.ip1._forward_hooks, "hooks that stay slow every later pass"


def test_ten_crops_have_the_mean_of_their_features(wrap):
    crop = Preprocessing(crop=Crop(size=10, views="ten"))
    ten = wrap(batch=20, preprocessing=crop)
    assert ten.features(COLOURS, "head").shape == (6, 5)
    assert np.array_equal(ten.features(COLOURS, "head"), ten.logits(COLOURS))


class Tokens(nn.Module):
    """As blocks of transformers do: returns (n, tokens, width) in a tuple."""

    def forward(self, images):
        return images.flatten(2).transpose(1, 2), SimpleNamespace()


class Reads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.head = Tokens(), nn.Linear(3, 5)
        self.idle = nn.Identity()
        self.swaps = nn.Identity()

    def forward(self, images):
        self.swaps(images.transpose(0, 1))
        return self.head(self.tokens(images)[0].mean(1))


def test_tokens_are_averaged_whatever_holds_them(wrap):
    classifier = wrap(Reads().eval())
    found = classifier.features(COLOURS, "tokens")
    assert np.abs(found - COLOURS.mean((1, 2)) / 255).max() < 1e-5


@pytest.mark.parametrize(
    "layer, message",
    [
        ("heed", r"tiny: expected the name of a layer, found 'heed'; did you mean head\?"),
        ("", r"found ''; its layers: tokens, head, idle, swaps"),
        ("idle", r"from layer 'idle', found that the network does not call it; name another layer"),
        (
            "swaps",
            r"expected 4 rows of features from layer 'swaps', found a tensor of shape \(3, 4, 12, 12\)",
        ),
    ],
)
def test_a_layer_that_gives_no_features_is_told_in_one_line(wrap, layer, message):
    with pytest.raises(ClassifierError, match=message):
        wrap(Reads().eval()).features(COLOURS, layer)


def test_a_function_has_no_layers(wrap, tiny):
    classifier = wrap(lambda images: tiny(images))
    assert classifier.layers() == ()
    with pytest.raises(ClassifierError, match=r"expected a torch.nn.Module, found another function"):
        classifier.features(COLOURS, "head")
    with pytest.raises(ClassifierError, match=r"expected a linear layer of 5 outputs, found none"):
        _ = classifier.penultimate
