"""What a classifier lets an audit see. A failure lets detectors read the wrong layer, which nothing else would tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from fooling.classifiers import Classifier, Numerics, Spec, from_module, load
from fooling.errors import InvalidError
from fooling.studies.audit.access import access_of


def spec(**changes: Any) -> Spec:
    values: dict[str, Any] = {
        "name": "net",
        "size": 6,
        "colour": "grey",
        "labels": ("a", "b", "c", "d"),
        **changes,
    }
    return Spec(**values)


class Two(nn.Module):
    """Two layers of four outputs, of which the one defined first is the last."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.first = nn.Linear(4, 4), nn.Linear(36, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(images.flatten(1) * 4 - 2).relu())


def test_the_penultimate_layer_is_found_named_and_hashed(classifier: Callable[..., Classifier]) -> None:
    found = access_of(classifier())
    assert (found.level, found.layer, dict(found.missing)) == ("logits", "head:input", {})
    assert found.layer_sha256 == access_of(classifier()).layer_sha256
    assert found.layer_sha256 != access_of(classifier(), "body").layer_sha256
    assert access_of(load("builtin:lenet")).layer == "ip2:input"
    probabilities = nn.Sequential(classifier().network, nn.Softmax(1))  # type: ignore[arg-type]
    inside = access_of(from_module(probabilities.eval(), spec(output="probabilities"), Numerics(batch=8)))
    assert inside.layer == "0.head:input"
    assert {"logits", "head", "softmax", "training"} == set(inside.missing)


def test_a_layer_that_only_looks_like_the_last_is_not_taken() -> None:
    """A failure reads features of another layer, under the name of the last."""
    network = from_module(Two().eval(), spec(), Numerics(batch=8))
    found = access_of(network)
    assert found.layer is None
    assert "not those of the linear layer behind first:input: name the layer" in (
        found.lacks("features") or ""
    )
    assert access_of(network, "last:input").lacks("features", "head") is None


def test_a_network_without_a_last_linear_layer_is_asked_for_one() -> None:
    module = nn.Sequential(nn.Conv2d(1, 4, 6), nn.Flatten()).eval()
    network = from_module(module, spec(), Numerics(batch=8))
    found = access_of(network)
    assert found.lacks("logits") is None
    assert "does not end in a linear layer: name the layer" in (found.lacks("features") or "")
    named = access_of(network, "0")
    assert named.lacks("features") is None
    assert named.lacks("head") == "needs head: 0 is not what a linear layer is given"
    with pytest.raises(InvalidError, match="expected the name of a layer, found 'O'"):
        access_of(network, "O")
