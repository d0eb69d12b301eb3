"""Small climbs for tests: on a smooth network, so that gradients can be held against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cppn.keys import Keys
from fooling.classifiers import Classifier
from fooling.search.ascent.task import Ascent, Climbs
from fooling.search.settings import GradientAscentSettings

CLASSES = 5


class Smooth(nn.Module):
    """(n, channels, any, any) to (n, 5) of some output kind, without a kink anywhere."""

    def __init__(self, channels: int, output: str = "logits", gain: float = 3.0) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(channels, 6, 3), nn.Linear(6, CLASSES)
        self.output = output
        generator = torch.Generator().manual_seed(4)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(gain * torch.randn(parameter.shape, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        logits = self.head(torch.tanh(self.conv(x) / 8).mean((2, 3)))
        if self.output in ("logits", "sigmoid"):
            return logits
        return logits.softmax(1) if self.output == "probabilities" else torch.sigmoid(logits)


def settled(**settings: Any) -> GradientAscentSettings:
    return GradientAscentSettings(**settings).resolved(None, CLASSES)


def first_round(
    classifier: Classifier, settings: GradientAscentSettings, seed: int = 0, last: int | None = None
) -> tuple[Ascent, Climbs]:
    """All climbs of some settings, from their starts to the last step."""
    assert settings.classes is not None
    assert settings.starts is not None
    targets = np.repeat(np.array(settings.classes, np.int64), settings.starts)
    shared = Ascent(settings, 0, settings.steps if last is None else last, classifier.spec.image_shape, None)
    keys = Keys.of_generation(seed, 0, len(targets))
    return shared, Climbs(keys, targets, np.full(len(targets), -1, np.float32), None, None)
