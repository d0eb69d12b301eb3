"""The network of `tests/small_climbs.py` as a classifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fooling.classifiers import Classifier, Numerics, Spec, from_module
from tests.small_climbs import Smooth

Wrap = Callable[..., Classifier]


@pytest.fixture
def wrap() -> Wrap:
    """`wrap(output="logits", batch=4, network=None, gain=3.0, **spec)`: a classifier of 10 x 10 images."""

    def make(
        output: Any = "logits", batch: int = 4, network: Any = None, gain: float = 3.0, **changes: Any
    ) -> Classifier:
        values = {"name": "smooth", "size": 10, "colour": "rgb", "labels": tuple("abcde"), **changes}
        mean_image = values.pop("array", None)
        spec = Spec(output=output, **values)
        network = network or Smooth(spec.input_channels, output, gain)
        return from_module(network.eval(), spec, Numerics(batch=batch), mean_image=mean_image)

    return make
