"""Encodings: how genotypes stand for images. `create` makes the one that a config asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from fooling.encodings.profiles import COLOURS
from fooling.errors import InvalidError
from fooling.sizes import Size

if TYPE_CHECKING:
    from fooling.encodings.protocol import Encoding
    from fooling.encodings.settings import CppnSettings, DirectSettings

    Settings: TypeAlias = CppnSettings | DirectSettings

CHANNELS: dict[str, Literal[1, 3]] = {"grey": 1, "rgb": 3}


def settle(settings: Settings, spec_size: Size, spec_colour: str) -> Settings:
    """The settings with everything filled in that depends on the classifier.

    Args:
        spec_size: of the classifier's images.
        spec_colour: "grey" or "rgb", of the classifier.

    Raises:
        InvalidError: a colour encoding for a grey classifier.
    """
    colour = settings.colour or ("grey" if spec_colour == "grey" else COLOURS[settings.profile])
    if spec_colour == "grey" and colour != "grey":
        raise InvalidError(
            f"encoding.colour: expected grey, as the classifier's images are, found {colour}; leave it out"
        )
    return settings.model_copy(update={"size": settings.size or spec_size, "colour": colour})


def create(settings: Settings, spec_size: Size, spec_colour: str) -> Encoding[Any]:
    """The encoding of some settings for a classifier; arguments and errors as for `settle`."""
    settled, channels = settle(settings, spec_size, spec_colour), CHANNELS[spec_colour]
    if settled.name == "direct":
        from fooling.encodings.direct import DirectEncoding

        return DirectEncoding(settled, channels)
    from fooling.encodings.cppn import CppnEncoding

    return CppnEncoding(settled, channels)
