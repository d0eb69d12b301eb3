"""What is said about a classifier: the border between a network and everything that uses it.

A spec is data (TOML, JSON, Python), checked once. It goes into the run's manifest and the classifier's
fingerprint. `docs/models.md` shows it field by field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from fooling.errors import InvalidError
from fooling.sizes import Size, channels_of, sides, to_text
from fooling.validation import ImageSize, Many, Record, explain

Colour = Literal["grey", "rgb"]
Output = Literal["logits", "sigmoid", "probabilities", "scores"]
# The kinds of output that are logits, of a softmax over the classes or of a sigmoid each.
LOGITS: tuple[Output, ...] = ("logits", "sigmoid")
Layout = Literal["nchw", "nhwc"]
InputType = Literal["float16", "float32", "float64", "uint8"]
M = TypeVar("M", bound=BaseModel)


class Resize(Record):
    """Resize the image before the crop, stretching it where the aspect ratio differs. With `antialias`, the
    filters are Pillow's and torchvision's default; without, they are `torch.nn.functional.interpolate`'s (whose
    bicubic has another constant)."""

    size: Annotated[
        ImageSize, Field(description="side of the resized image, in pixels; [height, width] of no square")
    ]
    filter: Annotated[Literal["bilinear", "bicubic"], Field(description="interpolation filter")] = "bilinear"
    antialias: Annotated[bool, Field(description="widen the filter when shrinking")] = True


class Crop(Record):
    """Cut parts of one size out of the (resized) image. The confidences of ten crops are averaged (Krizhevsky 2012)."""

    size: Annotated[
        ImageSize, Field(description="side of the crop, what the network sees, in pixels; or [height, width]")
    ]
    views: Annotated[
        Literal["centre", "ten"],
        Field(description='"centre", or "ten": four corners and centre, each also mirrored'),
    ] = "centre"


class Preprocessing(Record):
    """From an image in [0, 1] to the network's input, in this order: resize, crop, channels, scale, minus
    mean (or mean image), divided by std, layout, dtype. Nothing is done that is not named."""

    resize: Resize | None = None
    crop: Crop | None = None
    channels: Annotated[
        Literal["grey", "rgb", "bgr"] | None,
        Field(description="channels of the network's input; left out: those of the image"),
    ] = None
    scale: Annotated[
        float,
        Field(gt=0, allow_inf_nan=False, description="white: 1.0, or 255.0 for networks that want 0..255"),
    ] = 1.0
    mean: Annotated[
        Many[float] | None,
        Field(description="subtracted after the scaling, per channel of the network's input"),
    ] = None
    std: Annotated[Many[float] | None, Field(description="divides after the mean, per channel")] = None
    mean_image: Annotated[
        str | None,
        Field(
            description=".npy file (channels, height, width), subtracted instead of a mean; its centre is used"
        ),
    ] = None
    layout: Annotated[
        Layout,
        Field(description='order of the input\'s axes: "nchw", or "nhwc": (batch, side, side, channels)'),
    ] = "nchw"
    dtype: Annotated[
        InputType,
        Field(
            description='number type of the input; "uint8" holds whole numbers: scale = 255.0, no mean or std'
        ),
    ] = "float32"

    @model_validator(mode="after")
    def _consistent(self) -> Preprocessing:
        if self.dtype == "uint8" and (self.scale == 1.0 or {self.mean, self.std, self.mean_image} != {None}):
            raise ValueError('expected scale = 255.0 and no mean or std with dtype = "uint8"')
        if self.mean is not None and self.mean_image is not None:
            raise ValueError("expected mean or mean_image, found both")
        if self.std is not None and not all(0 < value < float("inf") for value in self.std):
            raise ValueError(f"expected positive numbers in std, found {list(self.std)}")
        return self


class Spec(Record):
    """A classifier in words and numbers."""

    name: Annotated[str, Field(min_length=1, description="what reports call it")]
    size: Annotated[
        ImageSize, Field(description="side of square images, in pixels; [height, width] of others")
    ]
    colour: Annotated[Colour, Field(description="channels of the images")]
    output: Annotated[
        Output,
        Field(
            description='what the network puts out: "logits" (a softmax follows), "sigmoid" (logits that are '
            'independent of each other: a sigmoid follows), "probabilities" (sum to 1) or "scores" (independent '
            "of each other); the last two lie in [0, 1] and are taken as they are"
        ),
    ] = "logits"
    output_key: Annotated[
        int | str | None,
        Field(
            description="which of several outputs is meant: its name, or its index from 0; "
            "left out: the network has one"
        ),
    ] = None
    labels: Annotated[Many[str], Field(min_length=1, description="a name per class, in output order")]
    wordnet: Annotated[Many[str] | None, Field(description="a WordNet id per class")] = None
    groups: dict[str, Many[int]] = Field({}, description="named sets of class indices, for reports")
    preprocessing: Preprocessing = Preprocessing()
    accuracy: Annotated[
        float | None, Field(ge=0, le=1, description="expected share of labelled samples named right")
    ] = None
    confidence: Annotated[
        str | None,
        Field(description="what a confidence means, in words; left out: what `output` says"),
    ] = None
    source: Annotated[str | None, Field(description="where the network comes from")] = None
    licence: Annotated[str | None, Field(description="its licence")] = None

    @field_validator("labels")
    @classmethod
    def _named(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for index, label in enumerate(labels):
            if not label.strip() or len(label.splitlines()) != 1 or label.splitlines()[0] != label:
                raise ValueError(f"expected one line of text for class {index}, found {label!r:.80}")
        return labels

    @model_validator(mode="after")
    def _consistent(self) -> Spec:
        classes = len(self.labels)
        if self.wordnet is not None and len(self.wordnet) != classes:
            raise ValueError(f"expected {classes} wordnet ids, one per label, found {len(self.wordnet)}")
        for name, members in self.groups.items():
            for index in members:
                if not 0 <= index < classes:
                    raise ValueError(f"group {name!r}: expected class indices below {classes}, found {index}")
        resized = self.preprocessing.resize.size if self.preprocessing.resize else self.size
        crop = self.preprocessing.crop
        if crop and any(cut > side for cut, side in zip(sides(crop.size), sides(resized), strict=True)):
            raise ValueError(
                f"preprocessing: expected a crop of at most {to_text(resized)} pixels, "
                f"found {to_text(crop.size)}"
            )
        for name in ("mean", "std"):
            values = getattr(self.preprocessing, name)
            if values is not None and len(values) != self.input_channels:
                raise ValueError(
                    f"preprocessing: expected {self.input_channels} numbers in {name}, found {len(values)}"
                )
        return self

    @property
    def columns(self) -> tuple[int, ...]:
        """How many numbers per image the network may put out: one per class; of two classes that share a single
        sigmoid, or its logit, also the second one's alone."""
        shared = len(self.labels) == 2 and self.output in ("sigmoid", "scores")
        return (2, 1) if shared else (len(self.labels),)

    @property
    def channels(self) -> int:
        """Channels of the images: 1 or 3."""
        return channels_of(self.colour)

    @property
    def input_channels(self) -> int:
        """Channels of the network's input: 1 or 3."""
        return channels_of(self.preprocessing.channels or self.colour)

    @property
    def height(self) -> int:
        """Of the images, in pixels."""
        return sides(self.size)[0]

    @property
    def width(self) -> int:
        """Of the images, in pixels."""
        return sides(self.size)[1]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images as pixels are kept."""
        return (self.height, self.width, self.channels)

    @property
    def input_size(self) -> Size:
        """Of the network's input, as `size`."""
        steps = self.preprocessing
        return steps.crop.size if steps.crop else steps.resize.size if steps.resize else self.size

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of the network's input."""
        return (self.input_channels, *sides(self.input_size))

    @property
    def views(self) -> int:
        """Inputs of the network per image: 10 for ten crops, else 1."""
        return 10 if self.preprocessing.crop and self.preprocessing.crop.views == "ten" else 1


def parse(model: type[M], data: Mapping[str, Any], origin: str) -> M:
    """Data as read from TOML or JSON, checked.

    Args:
        origin: names the data in errors: a file, say.

    Raises:
        InvalidError: one line with the first thing that is wrong.
    """
    try:
        # Strict JSON mode takes an array for a tuple, and nothing else that strict Python mode refuses.
        return model.model_validate_json(json.dumps(data))
    except TypeError as error:
        raise InvalidError(f"{origin}: expected text, numbers, lists and tables only: {error}") from None
    except ValidationError as error:
        raise InvalidError(f"{origin}: {explain(error, model)}") from None
