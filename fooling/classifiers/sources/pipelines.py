"""A maker's pipeline as data: what torchvision's transforms, timm's data config and transformers' image
processors all say, once made into one form, and what of a classifier's spec follows from it.

All of them resize the shorter side, cut out the centre and normalise. The image space lies before the
normalisation: images are what the network sees, or, as `view=whole`, a whole photograph of that aspect ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fooling.classifiers.sources.options import View
from fooling.errors import InvalidError
from fooling.sizes import Size, read, sides, to_text


@dataclass(frozen=True)
class Pipeline:
    """From a photograph in [0, 1], of the aspect ratio that the network sees, to its input.

    Attributes:
        size: of the crop: what the network sees.
        resized: size of the photograph before the crop, or None where nobody can say.
        filter: of the resize: "bilinear", "bicubic", or another that a spec can't hold.
        antialias: whether the filter is widened when shrinking.
        mean, std: per channel, after the scaling; None: not done.
        scale: what white becomes.
        channels: the order of the network's channels, where it is not the images'.
        colour: of the images.
    """

    size: Size
    resized: Size | None
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
        size = self.size
        if view == "whole":
            size = self._whole(origin)
            steps["resize"] = {"size": size, "filter": self.filter, "antialias": self.antialias}
            if size != self.size:
                steps["crop"] = {"size": self.size}
        return {"size": size, "colour": self.colour, "preprocessing": steps}

    def _whole(self, origin: str) -> Size:
        if self.resized is None:
            raise InvalidError(f"{origin}: its makers' resize can't be expressed: leave out view=whole")
        if self.filter not in ("bilinear", "bicubic"):
            raise InvalidError(
                f"{origin}: expected a bilinear or bicubic resize, found {self.filter}: leave out view=whole"
            )
        if any(small < side for small, side in zip(sides(self.resized), sides(self.size), strict=True)):
            raise InvalidError(
                f"{origin}: its makers resize to {to_text(self.resized)} and pad to {to_text(self.size)}: leave out "
                "view=whole"
            )
        return self.resized


def size_from(given: Any, origin: str) -> Size:
    """A size as makers write it: a number, a list of one, or height and width.

    Raises:
        InvalidError: anything else.
    """
    numbers = [given] if isinstance(given, int) else list(given)
    try:
        return read(numbers[0] if len(numbers) == 1 else numbers)
    except ValueError as error:
        raise InvalidError(f"{origin}: {error}") from None
