"""The `[search]` table of a config: one model per search, from which validation and docs come.

Each has `resolved`, which fills in what depends on the encoding and the number of classes, and refuses what does
not suit them. What it gives has `generations`, the steps after step 0, and `population`, the images of a step, as a
field or a property.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from fooling.errors import InvalidError
from fooling.search.line import start, steps
from fooling.sizes import channels_of
from fooling.validation import Strict

__all__ = [
    "BreedSettings",
    "GradientAscentSettings",
    "MapElitesSettings",
    "ResolvedBreed",
    "ResolvedGradientAscent",
    "ResolvedMapElites",
    "ResolvedSingleClass",
    "SingleClassSettings",
]

_Classes = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False, min_length=1)]


class _SearchSettings(Strict):
    """The settings that all searches have.

    Attributes:
        searcher: "module:class" of the `fooling.search.protocol.Search` that these settings are for.
    """

    searcher: ClassVar[str]

    def target_classes(self, count: int) -> tuple[int, ...]:
        """Of so many classes, those that images are made for: what the others are given is no result."""
        return chosen_classes(getattr(self, "classes", None), count)

    def length(self, generation: int, evaluations: int) -> tuple[int, str]:
        """How long a run is after these: a number and its unit, for people."""
        return generation, "generation" if generation == 1 else "generations"

    @property
    def remark(self) -> str:
        """What is to be said of that number; "" where it speaks for itself."""
        return ""


class MapElitesSettings(_SearchSettings):
    """Every image competes for every class; parents are drawn from the elites (Nguyen 2015, section 2)."""

    searcher: ClassVar[str] = "fooling.search.map_elites:MapElites"
    name: Literal["map-elites"] = Field("map-elites", description="the search")
    generations: int = Field(200, ge=0, le=2**31 - 1, description="generations after the first population")
    population: int = Field(200, ge=1, le=2**24, description="children per generation")
    initial: int | None = Field(
        None, ge=1, le=2**24, description="size of the first, random population (default: `population`)"
    )

    def resolved(self, encoding: Any, classes: int) -> ResolvedMapElites:
        """The settings with everything filled in."""
        return ResolvedMapElites(**{**dict(self), "initial": self.initial or self.population})


class ResolvedMapElites(MapElitesSettings):
    """The same, with everything filled in."""

    initial: int = Field(ge=1, le=2**24)


class SingleClassSettings(_SearchSettings):
    """Each class in turn is evolved for itself, by DEAP (direct images) or neat-python (CPPNs): the baseline."""

    searcher: ClassVar[str] = "fooling.search.single.search:SingleClass"
    name: Literal["single-class"] = Field("single-class", description="the search")
    classes: _Classes | None = Field(
        None, description="indices of the classes to evolve, in this order (default: all)"
    )
    evaluations: int = Field(
        4020,
        ge=2,
        le=2**31 - 1,
        description="images for each class, rounded down to whole populations; so many times the number of "
        "classes is what the run spends",
    )
    population: int = Field(
        60,
        ge=2,
        le=2**24,
        description="images in each generation of a class; as many are parents of the next. Direct images want few "
        "(docs/single-class.md)",
    )

    @model_validator(mode="after")
    def _one_population_at_least(self) -> SingleClassSettings:
        if self.evaluations < self.population:
            raise ValueError(
                f"expected evaluations of at least population, found {self.evaluations} and {self.population}"
            )
        return self

    @property
    def generations_per_class(self) -> int:
        """Generations of each class, its first, random one included."""
        return self.evaluations // self.population

    def resolved(self, encoding: Any, classes: int) -> ResolvedSingleClass:
        """The settings with everything filled in.

        Raises:
            InvalidError: a class that there isn't, or twice; a crossover that DEAP doesn't have.
        """
        if encoding.name == "direct" and encoding.crossover == "sbx-released":
            raise InvalidError(
                "encoding.crossover: the single-class search crosses by DEAP's own operator: expected none or sbx, "
                "found sbx-released"
            )
        return ResolvedSingleClass(**{**dict(self), "classes": chosen_classes(self.classes, classes)})


class ResolvedSingleClass(SingleClassSettings):
    """The same, with everything filled in."""

    classes: _Classes

    def length(self, generation: int, evaluations: int) -> tuple[int, str]:
        return generation + (evaluations > 0), "steps"  # from step 0 on

    @property
    def remark(self) -> str:
        return "each a generation of one class"

    @property
    def generations(self) -> int:
        """Generations after the run's first, of all classes together."""
        return len(self.classes) * self.generations_per_class - 1


_Percentage = Annotated[float, Field(ge=0, lt=100)]


class GradientAscentSettings(_SearchSettings):
    """Each class's gradient is climbed from some starts (Nguyen 2015, section 3.9; docs/ascent.md)."""

    searcher: ClassVar[str] = "fooling.search.ascent.search:GradientAscent"
    name: Literal["gradient-ascent"] = Field("gradient-ascent", description="the search")
    classes: _Classes | None = Field(None, description="indices of the classes to climb (default: all)")
    starts: int | None = Field(
        None, ge=1, le=2**16, description="climbs of each class (default: 1, or one from each of `images`)"
    )
    steps: int = Field(500, ge=1, le=2**31 - 1, description="gradient steps of each climb")
    steps_per_task: int = Field(
        25, ge=1, le=2**20, description="steps between two looks at the archive: a generation of the run"
    )
    objective: Literal["probability", "log-probability", "logit"] = Field(
        "probability",
        description="what is climbed; the latter two have a slope where the probability is flat",
    )
    start: Literal["mean", "grey", "uniform", "images"] = Field(
        "mean",
        description="the classifier's mean image or colour (mid-grey where its spec has none), mid-grey, uniform "
        "noise, or given images",
    )
    images: str | None = Field(None, description="a PNG, or a folder of them, to start from")
    noise: float = Field(
        1.0,
        ge=0,
        le=255,
        description="standard deviation of normal noise that is added to a start other than `uniform`, in grey levels",
    )
    rule: Literal["progress", "constant", "adam"] = Field(
        "progress",
        description="how far a step goes: to a fixed gain in probability (the authors'), `rate` times the gradient, "
        "or Adam's (Kingma & Ba 2015)",
    )
    early: float = Field(
        0.03, gt=0, le=1, description="`progress`: the gain in probability that a step aims at"
    )
    late: float = Field(
        0.1, gt=0, le=1, description="`progress`: no more than this share of what is missing to 1"
    )
    longest: float = Field(
        0.01,
        gt=0,
        le=1,
        description="`progress`: no step is longer, as root mean square over the genes",
    )
    rate: float = Field(0.01, gt=0, le=1e12, description="`constant` and `adam`: the learning rate")
    decay: float = Field(
        0.0, ge=0, lt=1, description="L2: the share of the distance to the mean that is lost at each step"
    )
    blur_radius: float = Field(
        0.0, ge=0, le=32, description="standard deviation of the Gaussian blur, in pixels; 0: none"
    )
    blur_every: int = Field(1, ge=1, le=2**31 - 1, description="steps between blurs")
    small_norm: _Percentage = Field(
        0.0, description="percentage of pixels, those nearest to the mean, that are set to it at each step"
    )
    small_contribution: _Percentage = Field(
        0.0,
        description="percentage of pixels, those that matter least, that are set to the mean at each step",
    )
    total_variation: float = Field(
        0.0, ge=0, le=1, description="weight of the total variation, of which each step descends the gradient"
    )
    jitter: int = Field(
        0,
        ge=0,
        le=256,
        description="each image is classified shifted by up to so many pixels, drawn anew at each step",
    )

    @model_validator(mode="after")
    def _images_where_they_are_the_start(self) -> GradientAscentSettings:
        if (self.start == "images") != (self.images is not None):
            raise ValueError('expected images, a path, together with start = "images" and not without')
        return self

    @property
    def generations(self) -> int:
        """Generations of `steps_per_task` steps after the starts themselves."""
        return -(-self.steps // self.steps_per_task)

    def resolved(self, encoding: Any, classes: int) -> ResolvedGradientAscent:
        """The settings with everything filled in.

        Raises:
            InvalidError: a class that there isn't, or twice.
        """
        chosen = chosen_classes(self.classes, classes)
        return ResolvedGradientAscent(**{**dict(self), "classes": chosen, "starts": self.starts or 1})


class ResolvedGradientAscent(GradientAscentSettings):
    """The same, with everything filled in."""

    classes: _Classes
    starts: int = Field(ge=1, le=2**16)

    def length(self, generation: int, evaluations: int) -> tuple[int, str]:
        return min(generation * self.steps_per_task, self.steps), "steps"

    @property
    def remark(self) -> str:
        return f"{self.starts:,} {'start' if self.starts == 1 else 'starts'} a class"

    @property
    def population(self) -> int:
        """Climbs."""
        return len(self.classes) * self.starts


def _line(text: str) -> str:
    return steps.to_text(_told(steps.from_text, text))


def _genotype(text: str) -> str:
    _told(start.from_text, text)
    return text


def _told(read: Callable[[str], Any], text: str) -> Any:
    """What a text says; what is wrong with it as pydantic wants it."""
    try:
        return read(text)
    except InvalidError as error:
        raise ValueError(str(error)) from None


class BreedSettings(_SearchSettings):
    """A line of CPPN images that a person bred, all of which compete for every class (docs/breed.md)."""

    searcher: ClassVar[str] = "fooling.search.breed.search:Breed"
    name: Literal["breed"] = Field("breed", description="the search")
    line: Annotated[str, Field(max_length=steps.LONGEST), AfterValidator(_line)] = Field(
        "",
        description="what was picked and rejected, step by step, as the page writes it: like `3.7x1m50_0m80`",
    )
    genotype: Annotated[str, Field(max_length=start.LONGEST), AfterValidator(_genotype)] | None = Field(
        None, description="the CPPN that the line begins with, in base64url (default: random ones)"
    )

    @property
    def generations(self) -> int:
        """Choices, after each of which there are new children."""
        return len(steps.from_text(self.line))

    @property
    def population(self) -> int:
        """Children that are shown at once."""
        return steps.CHILDREN

    def resolved(self, encoding: Any, classes: int) -> ResolvedBreed:
        """The settings with everything filled in.

        Raises:
            InvalidError: the encoding is none of CPPNs, or the line begins with one of another colour.
        """
        if encoding.name != "cppn":
            raise InvalidError(f"encoding: expected cppn for breed, found {encoding.name}")
        if self.genotype is not None:
            found, wanted = start.from_text(self.genotype).outputs, channels_of(encoding.colour)
            if found != wanted:
                raise InvalidError(
                    f"search.genotype: expected a CPPN of {wanted} outputs, found one of {found}"
                )
        return ResolvedBreed(**dict(self))


class ResolvedBreed(BreedSettings):
    """The same; nothing is left open."""


def chosen_classes(given: tuple[int, ...] | None, count: int) -> tuple[int, ...]:
    """The classes that a search is for: those given, or all.

    Raises:
        InvalidError: one that there isn't, or twice.
    """
    chosen = tuple(range(count)) if given is None else given
    if max(chosen) >= count:
        raise InvalidError(f"search.classes: expected indices from 0 to {count - 1}, found {max(chosen)}")
    if len(set(chosen)) < len(chosen):
        raise InvalidError(f"search.classes: expected each class once, found {list(chosen)}")
    return chosen


# A search is found by its settings: whoever adds one adds its two classes here.
SearchSettings = Annotated[
    MapElitesSettings | GradientAscentSettings | SingleClassSettings | BreedSettings,
    Field(discriminator="name"),
]
ResolvedSearch = Annotated[
    ResolvedMapElites | ResolvedGradientAscent | ResolvedSingleClass | ResolvedBreed,
    Field(discriminator="name"),
]
