"""The page that launches a run, and the estimate that it shows."""

from __future__ import annotations

from typing import Any

import pytest

from fooling.service.forms import fields, variants
from fooling.service.pages.new import PRESETS
from fooling.service.permitted import ALLOWED, settings_of
from fooling.service.schema import RunRequest
from tests.fooling.service.conftest import UNKNOWN, Service

LENET = ("builtin:lenet",)
# Of a search that has a page of its own.
ELSEWHERE = {"search.line", "search.genotype"}


def test_the_form_has_every_setting_that_a_request_may_have() -> None:
    """A failure hides a setting from whoever has no command line, or asks for one that is refused."""
    shown = {field.key for field in fields()}
    assert shown == ALLOWED - {"encoding.name", "search.name"} - ELSEWHERE | {"seed"}
    for field in fields():
        assert field.about.endswith("."), field.key
        assert (field.kind == "choice") == bool(field.choices), field.key
    assert {(variant.table, variant.name) for variant in variants()} == {
        ("encoding", "cppn"),
        ("encoding", "direct"),
        ("search", "map-elites"),
        ("search", "gradient-ascent"),
        ("search", "single-class"),
    }


def test_what_a_base_shows_is_what_its_config_gives(service: Service) -> None:
    """A failure launches other settings than the form shows: what is as the config has it is not sent."""
    page = service.client.get("/new.json").json()
    assert page["bases"][0]["config"] == "mnist-cppn"
    keys = {(field["key"], within) for field in page["fields"] for within in [field["within"]]}
    for base in page["bases"]:
        given = {key: value for key, value in base["values"].items() if value is not None}
        asked: dict[str, Any] = {"config": base["config"], "model": "builtin:lenet"}
        plain = settings_of(RunRequest(**asked), LENET)
        assert settings_of(RunRequest(**asked, set=given), LENET) == plain
        for key in base["values"]:
            assert keys & {(key, None), (key, base["encoding"]), (key, base["search"])}, key


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_can_be_launched(service: Service, preset: Any) -> None:
    """A failure greets a newcomer with an error."""
    start = service.client.get(f"/new.json?preset={preset.name}").json()["start"]
    answer = service.client.post("/api/v1/estimates", json=start)
    assert answer.status_code == 200, answer.text
    own = {**start, "config": preset.own}
    assert service.client.post("/api/v1/estimates", json=own).status_code == 200


def test_a_run_again_is_the_same_but_for_the_seed(own_service: Service) -> None:
    """A failure computes the same images again, or others than those of the settings that somebody began with."""
    client = own_service.client
    page = client.get(f"/new.json?from={own_service.run}").json()
    start = page["start"]
    assert (start["seed"], start["config"]) == (own_service.told["seed"] + 1, "mnist-cppn")
    assert start["set"] == {"search.generations": 12, "search.population": 60, "run.chunk": 25}
    asked = {"config": "mnist-direct", "seed": 4, "set": {"search.population": 9}, "label": "mine"}
    job = client.post("/api/v1/runs", json=asked).json()
    start = client.get(f"/new.json?from={job['id']}").json()["start"]
    assert start == {**asked, "model": "builtin:lenet", "seed": 5, "label": ""}
    assert client.get(f"/new.json?from={UNKNOWN}").status_code == 404


def test_an_estimate_says_what_is_known(service: Service) -> None:
    """A failure promises minutes where nobody knows, or says nothing where earlier runs tell."""

    def estimate(**asked: Any) -> dict[str, Any]:
        answer = service.client.post("/api/v1/estimates", json=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    known = estimate(config="mnist-cppn")
    rate = service.told["evaluations"] / service.told["seconds"]
    assert known["images"] == 40_200
    assert known["images_per_second"] == pytest.approx(rate, rel=0.01)
    assert known["seconds"] == pytest.approx(40_200 / known["images_per_second"])
    single = estimate(config="mnist-cppn-single")
    assert (single["images"], single["images_per_second"], single["seconds"]) == (40_200, None, None)
    unknown = estimate(config="mnist-cppn-single", model="builtin:mlp")
    assert (unknown["images"], unknown["seconds"]) == (None, None)
    assert estimate(model="builtin:mlp", set={"stop.seconds": 60})["seconds"] == 60
    assert service.jobs.list(q="single").total == 0  # nothing was launched


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"set": {"search.generations": -1}}, "search.generations: "),
        ({"set": {"search.generations": 1.5}}, "search.generations: "),
        ({"set": {"encoding.profile": "x"}}, "encoding.profile: "),
        ({"set": {"search.classes": "x"}, "config": "mnist-ascent"}, "search.classes: "),
        ({"seed": -1}, "seed: "),
        ({"label": "x" * 300}, "label: "),
    ],
)
def test_problems_name_the_field(service: Service, asked: dict[str, Any], place: str) -> None:
    """A failure leaves people to guess which of thirty fields is wrong."""
    answer = service.client.post("/api/v1/estimates", json=asked)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(place), answer.text
