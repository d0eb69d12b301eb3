"""A maker's pipeline as data: what torchvision's transforms, timm's data config and transformers' image
processors all say, once made into one form, and what of a classifier's spec follows from it.

All of them resize the shorter side, cut out the centre and normalise. The image space lies before the
normalisation: images are what the network sees, or, as `view=whole`, a whole square photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fooling.classifiers.sources.options import View
from fooling.errors import InvalidError


@dataclass(frozen=True)
class Pipeline:
    """From a square photograph in [0, 1] to the network's input.

    Attributes:
        side: of the crop: what the network sees.
        resized: side of the photograph before the crop, or None where nobody can say.
        filter: of the resize: "bilinear", "bicubic", or another that a spec can't hold.
        antialias: whether the filter is widened when shrinking.
        mean, std: per channel, after the scaling; None: not done.
        scale: what white becomes.
        channels: the order of the network's channels, where it is not the images'.
        colour: of the images.
    """

    side: int
    resized: int | None
    filter: str
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    antialias: bool = True
    scale: float = 1.0
    channels: Literal["bgr"] | None = None
    colour: Literal["grey", "rgb"] = "rgb"

    def described(self, view: View, origin: str) -> dict[str, Any]:
        """The keys of a spec that follow: size, colour, preprocessing.

        Raises:
            InvalidError: the whole view is asked for, and its resize can't be expressed.
        """
        steps: dict[str, Any] = {"scale": self.scale}
        for key in ("channels", "mean", "std"):
            if (value := getattr(self, key)) is not None:
                steps[key] = value
        size = self.side
        if view == "whole":
            size = self._whole(origin)
            steps["resize"] = {"size": size, "filter": self.filter, "antialias": self.antialias}
            if size != self.side:
                steps["crop"] = {"size": self.side}
        return {"size": size, "colour": self.colour, "preprocessing": steps}

    def _whole(self, origin: str) -> int:
        if self.resized is None:
            raise InvalidError(f"{origin}: its makers' resize can't be expressed: leave out view=whole")
        if self.filter not in ("bilinear", "bicubic"):
            raise InvalidError(
                f"{origin}: expected a bilinear or bicubic resize, found {self.filter}: leave out view=whole"
            )
        if self.resized < self.side:
            raise InvalidError(
                f"{origin}: its makers resize to {self.resized} and pad to {self.side}: leave out view=whole"
            )
        return self.resized


def side_of(sides: Any, origin: str) -> int:
    """The side of a square, given as one number or two.

    Raises:
        InvalidError: not a square.
    """
    numbers = [sides] if isinstance(sides, int) else list(sides)
    if not numbers or len(set(numbers)) != 1:
        raise InvalidError(
            f"{origin}: expected a network that sees squares, found {' x '.join(map(str, numbers))}"
        )
    return int(numbers[0])
