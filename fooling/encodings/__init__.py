"""Encodings: how genotypes become images. `create` makes the encoding that a config asks for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fooling.encodings.profiles import COLOURS
from fooling.errors import InvalidError
from fooling.sizes import Size, channels_of

if TYPE_CHECKING:
    from fooling.encodings.protocol import Encoding
    from fooling.encodings.settings import EncodingSettings, ResolvedEncoding


def resolve(settings: EncodingSettings, spec_size: Size, spec_colour: str) -> ResolvedEncoding:
    """Fill in the settings that depend on the classifier.

    Args:
        spec_size: the size of the classifier's images.
        spec_colour: "grey" or "rgb", the colour of the classifier's images.

    Raises:
        InvalidError: a colour encoding for a grey classifier.
    """
    from pydantic import TypeAdapter

    from fooling.encodings.settings import ResolvedEncoding

    colour = settings.colour or ("grey" if spec_colour == "grey" else COLOURS[settings.profile])
    if spec_colour == "grey" and colour != "grey":
        raise InvalidError(
            f"encoding.colour: expected grey, as the classifier's images are, found {colour}; leave it out"
        )
    values = {**dict(settings), "size": settings.size or spec_size, "colour": colour}
    return TypeAdapter(ResolvedEncoding).validate_python(values)


def create(settings: EncodingSettings, spec_size: Size, spec_colour: str) -> Encoding[Any]:
    """The encoding of some settings for a classifier; arguments and errors as for `resolve`."""
    resolved, channels = resolve(settings, spec_size, spec_colour), channels_of(spec_colour)
    module, _, name = resolved.encoder.partition(":")
    return getattr(import_module(module), name)(resolved, channels)
