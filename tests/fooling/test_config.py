"""Settings: layers in their order, and errors that help (a misspelt key must never be ignored)."""

from __future__ import annotations

from pathlib import Path

import pytest

from fooling import config, encodings
from fooling.config import resolve
from fooling.errors import InvalidError, NotFoundError
from fooling.ready_made import names


def test_layers_win_in_the_documented_order(tmp_path: Path) -> None:
    """default < profile < file < environment < --set < flag"""
    file = tmp_path / "mine.toml"
    file.write_text(
        'seed = 1\n[encoding]\nname = "cppn"\nprofile = "released"\nadd_edge = 0.25\n'
        "[search]\ngenerations = 1\npopulation = 11\n[run]\nchunk = 1\n"
    )
    environment = {
        "FOOLING__SEARCH__GENERATIONS": "2",
        "FOOLING__SEED": "2",
        "FOOLING__RUN__CHUNK": "2",
        "OTHER": "x",
    }
    settings = resolve(file, ["search.generations=3", "seed=3"], {"seed": 4}, environment)
    assert settings.seed == 4
    assert settings.search.generations == 3
    assert settings.run.chunk == 2
    assert settings.search.population == 11
    assert settings.encoding.coordinates == "raw"  # the profile
    assert settings.encoding.add_edge == 0.25  # the file, over the profile
    assert settings.run.threads == 1  # the default


def test_a_flag_may_choose_the_profile() -> None:
    """A profile lies under the keys that were given, wherever it is chosen."""
    settings = resolve("mnist-direct", ["encoding.profile=released", "encoding.crossover=none"], {}, {})
    assert settings.encoding.quantisation == "released"
    assert settings.encoding.crossover == "none"


@pytest.mark.parametrize("name", names())
def test_ready_made_configs_are_valid(name: str) -> None:
    settings = resolve(name, [], {"model": "file:mine.toml"}, {})
    encoding = encodings.resolve(settings.encoding, 28, "grey")
    assert settings.search.resolved(encoding, 1000).generations >= 1


def test_a_config_that_needs_a_classifier_says_so() -> None:
    """To evolve against a digit classifier instead would waste hours."""
    with pytest.raises(InvalidError, match="--model"):
        resolve("imagenet-cppn", environment={})


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("search.generatons=3", ["search.generatons", "did you mean search.generations?"]),
        ("encoding.mutaton_rate=0.1", ["encoding.mutaton_rate", "is not a key"]),
        ("serach.generations=3", ["serach", "did you mean search?"]),
        ("search.generations=many", ["search.generations", "integer", "'many'"]),
        ("search.generations=1.5", ["search.generations", "integer", "1.5"]),
        ("search.population=-4", ["search.population", "greater than or equal to 1", "-4"]),
        ("search.name=annealing", ["search.name", "map-elites or gradient-ascent", "'annealing'"]),
        ("encoding.name=fourier", ["encoding.name", "cppn or direct", "'fourier'"]),
        ("encoding.profile=fast", ["encoding.profile", "'fast'"]),
        ("stop.confidence=1.5", ["stop.confidence", "1.5"]),
        ("run.layout=nhwc", ["run.layout", "'nhwc'"]),
        ("seed=true", ["seed", "integer", "True"]),
        ("seed=-1", ["seed", "-1"]),
        ("search=5", ["search", "5"]),
        ("seed.x=5", ["seed"]),
        ("generations", ["KEY=VALUE"]),
    ],
)
def test_a_bad_setting_is_named_in_one_line(assignment: str, words: list[str]) -> None:
    with pytest.raises(InvalidError) as caught:
        resolve("mnist-direct", [assignment], {}, {})
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_an_unknown_config_is_not_found_and_the_known_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="did you mean mnist-cppn"):
        resolve("mnist-cpn", environment={})
    with pytest.raises(NotFoundError, match="there are"):
        resolve("zebra", environment={})
    with pytest.raises(NotFoundError, match="no config file"):
        resolve(tmp_path / "none.toml", environment={})


@pytest.mark.parametrize(
    "content, message",
    [(b"seed = ", "not TOML"), (b"[search]\n[search]\n", "not TOML"), (b"\xff\xfe", "found UTF-16")],
)
def test_a_file_that_is_not_toml(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pytest.raises(InvalidError, match=message):
        resolve(file, environment={})


def test_a_config_that_was_saved_on_windows(tmp_path: Path) -> None:
    """A byte order mark, which nobody sees, was "Invalid statement (at line 1, column 1)"."""
    file = tmp_path / "marked.toml"
    file.write_bytes(b"\xef\xbb\xbfseed = 7\r\n")
    assert resolve(file, environment={}).seed == 7


def test_every_setting_is_described() -> None:
    """The settings page of the docs is made of these descriptions."""
    from fooling.encodings.settings import CppnSettings, DirectSettings
    from fooling.search.settings import GradientAscentSettings, MapElitesSettings, SingleClassSettings

    for model in (
        MapElitesSettings,
        GradientAscentSettings,
        SingleClassSettings,
        config.StopSettings,
        config.RunSettings,
        CppnSettings,
        DirectSettings,
    ):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


ENDLESS = {
    "run.checkpoint_seconds": "inf",
    "run.patience": "1e400",
    "run.gpus": "nan",
    "stop.seconds": "inf",
    "stop.confidence": "nan",
    "encoding.weight_eta": "inf",
    "encoding.weight_rate": "nan",
}


@pytest.mark.parametrize("key", ENDLESS)
def test_a_number_has_to_be_finite(key: str) -> None:
    """JSON holds no other, and a wait without end is none. A failure ends a run as a defect, at its start or later."""
    with pytest.raises(InvalidError, match=rf"{key}: expected a finite number, found (inf|nan)"):
        resolve("mnist-cppn", [f"{key}={ENDLESS[key]}"], environment={})


def test_an_endless_number_of_another_search_is_refused_too() -> None:
    for key in ("noise", "rate", "decay", "blur_radius", "small_norm"):
        with pytest.raises(InvalidError, match=f"search.{key}: expected a finite number"):
            resolve("mnist-ascent", [f"search.{key}=inf"], environment={})


def test_numbers_that_no_wait_can_take_are_refused() -> None:
    for key in ("run.patience", "run.checkpoint_seconds", "stop.seconds"):
        with pytest.raises(InvalidError, match=f"{key}: expected a number less"):
            resolve("mnist-cppn", [f"{key}=1e300"], environment={})


@pytest.mark.parametrize("key", ["model", "search.images", "run.address"])
def test_a_zero_character_in_text_is_refused(key: str) -> None:
    """A foreign manifest with one ended every command in a traceback: no path can have it."""
    table, _, name = key.rpartition(".")
    values = {table: {name: "a\0b"}} if table else {name: "file:a\0b.toml"}
    if table == "search":
        values["search"]["name"] = "gradient-ascent"
    with pytest.raises(InvalidError, match=f"here: {key}: expected text, found a zero character"):
        config.validate(values, "here")
