"""The `[encoding]` table of a config: a pydantic model for each encoding, which also gives the docs their
table of keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from fooling.encodings.profiles import PROFILES
from fooling.validation import ImageSize, Strict

__all__ = ["PROFILES", "CppnSettings", "DirectSettings", "ResolvedCppn", "ResolvedDirect"]

Probability = Annotated[float, Field(ge=0, le=1)]
Eta = Annotated[float, Field(ge=0, le=1000)]
Colour = Literal["grey", "hls", "hsv", "rgb"]
Activation = Literal["sine", "sigmoid", "gaussian", "linear", "tanh", "relu"]


class _EncodingSettings(Strict):
    """The settings that all encodings have.

    Attributes:
        encoder: "module:class" of the `fooling.encodings.protocol.Encoding` that these settings are for.
    """

    encoder: ClassVar[str]

    profile: Literal["normalised", "released", "paper"] = Field(
        "normalised", description="the defaults: without the authors' quirks, as their code, as their text"
    )
    size: ImageSize | None = Field(
        None,
        description="side of square images in pixels, or `[height, width]`, up to 4,096 each (default: the "
        "classifier's)",
    )
    colour: Colour | None = Field(
        None,
        description="what the channels mean (default: grey for a grey classifier, else hls; hsv in `paper`)",
    )
    quantisation: Literal["rounded", "released"] = Field(
        "rounded", description="how values become 8 bits: rounded, or truncated with the release's hue wrap"
    )

    @model_validator(mode="before")
    @classmethod
    def _profile_underneath(cls, values: Any) -> Any:
        """Add the values of the profile for keys that the user did not give. A wrong profile is reported by
        its field."""
        if not isinstance(values, Mapping):
            return values
        profile = values.get("profile", "normalised")
        known = PROFILES.get(cls.model_fields["name"].default, {})
        return {**(known.get(profile, {}) if isinstance(profile, str) else {}), **values}

    @property
    def has_any_size(self) -> bool:
        """Whether a genotype can be rendered at another size than that of the settings."""
        return False

    def genes(self, values: int) -> int:
        """The float32 numbers of a genotype for an image of so many values (H * W * C); 0 where they are few."""
        return 0


class DirectSettings(_EncodingSettings):
    """Images with a gene for each channel of each pixel."""

    encoder: ClassVar[str] = "fooling.encodings.direct:DirectEncoding"

    name: Literal["direct"] = Field("direct", description="one gene per channel of each pixel")
    mutation_rate: Probability = Field(0.1, description="probability that a gene mutates")
    mutation_eta: Eta = Field(
        15.0, description="of the polynomial mutation: the higher, the smaller the steps"
    )
    mutation_halving: int = Field(
        0,
        ge=0,
        le=2**31,
        description="generations after which the mutation rate halves, again and again; 0: never",
    )
    crossover: Literal["none", "sbx", "sbx-released"] = Field(
        "none", description="simulated binary crossover of pairs, as fixed later or with the release's bug"
    )
    crossover_rate: Probability = Field(0.5, description="probability that a pair of siblings is crossed")
    crossover_eta: Eta = Field(10.0, description="of the crossover: the higher, the closer to the parents")

    def genes(self, values: int) -> int:
        return values


class CppnSettings(_EncodingSettings):
    """Images drawn by compositional pattern-producing networks."""

    encoder: ClassVar[str] = "fooling.encodings.cppn:CppnEncoding"

    name: Literal["cppn"] = Field("cppn", description="a compositional pattern-producing network")
    coordinates: Literal["normalised", "raw"] = Field(
        "normalised", description="x and y in [-1, 1], or as pixel indices (the release)"
    )
    activations: Annotated[tuple[Activation, ...], Field(strict=False, min_length=1)] = Field(
        ("sine", "sigmoid", "gaussian", "linear"),
        description="functions that nodes draw from, equally likely",
    )
    weight_rate: Probability = Field(0.1, description="probability that an edge's weight mutates")
    weight_eta: Eta = Field(15.0, description="of the polynomial mutation: the higher, the smaller the steps")
    activation_rate: Probability = Field(0.1, description="probability that a node's function is drawn anew")
    add_edge: Probability = Field(0.5, description="probability that a child gains an edge")
    delete_edge: Probability = Field(0.3, description="probability that a child loses an edge")
    add_node: Probability = Field(0.5, description="probability that a node splits one of a child's edges")
    delete_node: Probability = Field(0.2, description="probability that a child loses a hidden node")

    @property
    def has_any_size(self) -> bool:
        return self.coordinates != "raw"  # pixel indices mean something else at another size


class ResolvedDirect(DirectSettings):
    """The same, with everything filled in that depends on the classifier."""

    size: ImageSize
    colour: Colour


class ResolvedCppn(CppnSettings):
    """The same, with everything filled in that depends on the classifier."""

    size: ImageSize
    colour: Colour


# An encoding is found by its settings: whoever adds one adds its two classes here.
EncodingSettings = Annotated[CppnSettings | DirectSettings, Field(discriminator="name")]
ResolvedEncoding = Annotated[ResolvedCppn | ResolvedDirect, Field(discriminator="name")]
