"""The same run as a config and as a command line."""

from __future__ import annotations

import shlex
import tomllib
from typing import Any

import pytest

from fooling.config import Settings, resolve, validate
from fooling.ready_made import names
from fooling.service.jobs.estimating import planned_images
from fooling.service.permitted import settings_of
from fooling.service.recipes import command_of, config_of
from fooling.service.schema import RunRequest

MODELS = ("builtin:lenet", 'hf:a "b"\x7f\\c/é')
SETS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((name, {}) for name in names() if name != "http-example"),
    ("mnist-cppn", {"encoding.profile": "released", "encoding.coordinates": "normalised"}),
    (
        "mnist-cppn",
        {"encoding.activations": ["sine", "relu"], "encoding.size": [20, 30], "stop.seconds": 1e-5},
    ),
    ("mnist-direct", {"encoding.profile": "paper", "encoding.mutation_halving": 0, "run.compile": True}),
    ("mnist-ascent", {"search.classes": [3, 1], "search.decay": 0.25, "run.evaluators": 2}),
)


@pytest.mark.parametrize(("config", "given"), SETS)
def test_config_and_command_are_of_the_same_run(config: str, given: dict[str, Any]) -> None:
    """A failure is a run on a cluster that is another one than the form showed."""
    for model in MODELS:
        request = RunRequest(config=config, model=model, seed=7, set=given)
        settings = settings_of(request, MODELS)
        assert validate(tomllib.loads(config_of(settings)), "a test") == settings
        program, command, name, *options = shlex.split(command_of(request))
        assert (program, command) == ("fooling", "run")
        assert _called(name, options) == settings


def _called(name: str, options: list[str]) -> Settings:
    """The settings of `fooling run`."""
    pairs = list(zip(options[::2], options[1::2], strict=True))
    flags: dict[str, Any] = {key.removeprefix("--"): value for key, value in pairs if key != "--set"}
    flags["seed"] = int(flags["seed"])
    return resolve(name, [value for key, value in pairs if key == "--set"], flags)


@pytest.mark.parametrize(
    ("config", "given", "classes", "images"),
    [
        ("mnist-cppn", {}, None, 40_200),
        ("mnist-cppn", {"search.initial": 50, "stop.evaluations": 1000}, None, 1000),
        ("mnist-cppn-single", {}, 10, 40_200),
        ("mnist-cppn-single", {"search.evaluations": 130, "search.classes": [1]}, None, 120),
        ("mnist-cppn-single", {}, None, None),
        ("mnist-ascent", {}, 10, 50_100),
    ],
)
def test_images_that_a_run_takes(
    config: str, given: dict[str, Any], classes: int | None, images: int | None
) -> None:
    """A failure tells people to wait for a time that has nothing to do with the run. The numbers are those of real runs."""
    settings = settings_of(RunRequest(config=config, set=given), MODELS)
    assert planned_images(settings, classes) == images
