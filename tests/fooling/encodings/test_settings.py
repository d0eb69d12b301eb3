"""The `[encoding]` table: profiles, what the classifier decides, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cppn.keys import Keys
from cppn.variation import Rates
from fooling import encodings
from fooling.encodings.profiles import COLOURS, PROFILES
from fooling.encodings.settings import CppnSettings, DirectSettings
from fooling.errors import InvalidError
from fooling.sizes import sides

MODELS: dict[str, Any] = {"cppn": CppnSettings, "direct": DirectSettings}
both = pytest.mark.parametrize("name", MODELS)


@both
@pytest.mark.parametrize("profile", ["normalised", "released", "paper"])
def test_a_profile_sets_its_values_under_the_users_own(name: str, profile: str) -> None:
    """A profile that only changes the label would be a claim about the experiment that is not true."""
    model, values = MODELS[name], PROFILES[name][profile]
    made = model(profile=profile)
    assert made.model_dump() == {**model().model_dump(), "profile": profile, **values}
    assert model(**made.model_dump()) == made  # a manifest's values, read again
    assert model(profile=profile, quantisation="rounded").quantisation == "rounded"
    assert set(PROFILES[name]) == set(COLOURS)


def test_profiles_say_what_the_release_and_the_paper_do() -> None:
    """The quirks by name: see the facts of the paper, sections 1 and 2."""
    released, paper = DirectSettings(profile="released"), DirectSettings(profile="paper")
    assert (released.crossover, released.quantisation, released.mutation_halving) == (
        "sbx-released",
        "released",
        0,
    )
    assert (paper.crossover, paper.quantisation, paper.mutation_halving) == ("none", "rounded", 1000)
    assert CppnSettings(profile="released").coordinates == "raw"
    assert CppnSettings(profile="released").quantisation == "released"
    assert CppnSettings(profile="paper").coordinates == "normalised"


def test_the_defaults_are_the_papers_rates() -> None:
    """The rates are the experiment, and written in two rooms."""
    settings, rates = CppnSettings(), Rates()
    for name in ("weight_rate", "weight_eta", "activation_rate", "activations"):
        assert getattr(settings, name) == getattr(rates, name)
    for name in ("add_edge", "delete_edge", "add_node", "delete_node"):
        assert getattr(settings, name) == getattr(rates, name)
    direct = DirectSettings()
    assert (direct.mutation_rate, direct.mutation_eta, direct.crossover_rate, direct.crossover_eta) == (
        0.1,
        15.0,
        0.5,
        10.0,
    )


@both
@pytest.mark.parametrize(
    ("profile", "classifier", "colour"),
    [
        ("normalised", "grey", "grey"),
        ("paper", "grey", "grey"),
        ("released", "rgb", "hls"),
        ("normalised", "rgb", "hls"),
        ("paper", "rgb", "hsv"),
    ],
)
def test_size_and_colour_come_from_the_classifier(
    name: str, profile: str, classifier: str, colour: str
) -> None:
    """The manifest keeps what was decided, so it must be decided in one place."""
    resolved = encodings.resolve(MODELS[name](profile=profile), 28, classifier)
    assert (resolved.size, resolved.colour) == (28, colour)
    assert encodings.resolve(resolved, 99, classifier) == resolved
    made = encodings.create(MODELS[name](profile=profile), 28, classifier)
    assert made.settings == resolved
    assert made.name == name
    images = made.render(made.initialise(Keys.of_generation(0, 0, 2)))
    assert images.shape == (2, *made.image_shape) == (2, 28, 28, 1 if classifier == "grey" else 3)
    assert images.dtype == np.uint8


@both
@pytest.mark.parametrize("colour", ["hls", "hsv", "rgb"])
def test_colours_for_a_grey_classifier_are_refused(name: str, colour: str) -> None:
    """Which grey the classifier would see of them nobody has said."""
    with pytest.raises(InvalidError, match=rf"encoding.colour: expected grey.*found {colour}") as caught:
        encodings.create(MODELS[name](colour=colour), 28, "grey")
    assert "\n" not in str(caught.value)


@both
def test_a_size_of_its_own_is_kept(name: str) -> None:
    """The paper evolves 256 pixels for a network that looks at 227 of them."""
    assert encodings.create(MODELS[name](size=12), 8, "rgb").image_shape == (12, 12, 3)


def test_a_cppn_renders_at_any_size() -> None:
    """A gallery shows them large."""
    made = encodings.create(CppnSettings(), 8, "rgb")
    population = made.initialise(Keys.of_generation(0, 0, 2))
    assert made.render(population, 20).shape == (2, 20, 20, 3)
    assert made.render(population).shape == (2, 8, 8, 3)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("cppn", {"profile": "fast"}),
        ("cppn", {"profile": 3}),
        ("cppn", {"add_edge": 1.1}),
        ("cppn", {"add_edge": "0.5"}),
        ("cppn", {"add_edges": 0.5}),
        ("cppn", {"activations": []}),
        ("cppn", {"activations": ["cosine"]}),
        ("cppn", {"size": 0}),
        ("cppn", {"size": [28]}),
        ("direct", {"size": [4, 5000]}),
        ("cppn", {"size": 28.0}),
        ("cppn", {"coordinates": "polar"}),
        ("cppn", {"name": "direct"}),
        ("direct", {"mutation_rate": -0.1}),
        ("direct", {"mutation_rate": float("nan")}),
        ("direct", {"mutation_eta": -1.0}),
        ("direct", {"mutation_halving": -1}),
        ("direct", {"crossover": "uniform"}),
        ("direct", {"coordinates": "raw"}),
        ("direct", {"quantisation": "floor"}),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, wrong: dict) -> None:
    """A misspelt key that is ignored is an experiment with the default."""
    with pytest.raises(ValidationError):
        MODELS[name](**wrong)


@both
@pytest.mark.parametrize("size", [1, (1, 5), (48, 192), (20, 3)])
def test_images_have_the_shape_of_the_classifier_s(name: str, size: Any) -> None:
    """A failure costs runs on networks that don't see squares."""
    made = encodings.create(MODELS[name](), size, "rgb")
    assert encodings.create(MODELS[name](size=size), 28, "rgb").image_shape == made.image_shape
    keys = Keys.of_generation(0, 0, 3)
    images = made.render(made.mutate(made.initialise(keys), keys))
    assert images.shape == (3, *made.image_shape) == (3, *sides(size), 3)
    stored = json.loads(made.settings.model_dump_json())
    assert type(made.settings).model_validate(stored) == made.settings


def test_lists_and_whole_numbers_from_toml_are_taken() -> None:
    """TOML has no tuples, and people write 1 for 1.0."""
    settings = CppnSettings.model_validate({"activations": ["tanh", "relu"], "add_edge": 1})
    assert settings.activations == ("tanh", "relu")
    assert encodings.create(settings, 4, "grey").settings.add_edge == 1.0


@both
def test_every_setting_is_described(name: str) -> None:
    """The reference of settings is generated from the models."""
    for key, field in MODELS[name].model_fields.items():
        assert field.description, key


def test_importing_the_room_stays_light() -> None:
    """Faces import it at every start: torch alone takes seconds."""
    code = "import sys, fooling.encodings; print([m for m in ('torch', 'pydantic', 'numba') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
