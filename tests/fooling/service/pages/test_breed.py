"""The page for breeding. A failure shows other images at an address than it did, or lets an address keep the server busy."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fooling.search.breed.brood import Breeder
from fooling.search.line.steps import LONGEST, MOST_STEPS, from_text
from fooling.service.asking.answers import Answers, Model
from fooling.service.breeding.origin import from_run, from_seed
from fooling.service.permitted import settings_of
from fooling.service.schema import RunRequest
from tests.fooling.service.conftest import UNKNOWN

LINE = "3.7x1m50_0m80"
SEED = "seed=3&model=builtin:lenet&colour=grey"


def pixels_of(answer):
    image = np.asarray(Image.open(io.BytesIO(answer.content)))
    return image.reshape(*image.shape[:2], -1)


def test_what_an_address_leaves_open_stands_in_the_address_from_then_on(service):
    """Else somebody who is sent the address sees other images."""
    found = service.client.get("/breed?model=builtin:lenet&steps=3m50", follow_redirects=False)
    assert found.status_code == 303
    assert found.headers["location"].startswith("/breed?seed=")
    assert found.headers["location"].endswith("&model=builtin:lenet&colour=grey&steps=3m50")
    begun = service.client.get(f"/breed?from={service.run}/3", follow_redirects=False)
    told = service.client.get(f"/breed.json?from={service.run}/3").json()
    assert begun.headers["location"] == f"/breed?{told['query']}"
    assert service.client.get(begun.headers["location"], follow_redirects=False).status_code == 200


def test_images_are_those_of_the_line(service):
    """The pixels that are shown at full size are those that the classifier is asked about, and that a saved run has."""
    origin = from_seed(service.app.state.context.reader, service.jobs, ("builtin:lenet",), 3, None, None)
    brood = list(Breeder(origin.encoding, 3).broods(from_text(LINE)))[-1]
    answer = service.client.get(f"/breed/image.png?{SEED}&steps={LINE}&child=5")
    assert (pixels_of(answer) == origin.encoding.render(brood.genotypes.take([5]))[0]).all()
    assert "immutable" in answer.headers["cache-control"]
    large = service.client.get(f"/breed/image.png?{SEED}&steps={LINE}&child=5&size=90")
    assert pixels_of(large).shape == (90, 90, 1)


def test_a_branch_shares_its_beginning_with_the_line(service):
    """What is kept of one line must not leak into another."""
    for steps in (LINE, "3.7x1m50_0m10", "3.7x1m50", "", LINE):
        address = f"/breed/image.png?{SEED}&steps={steps}&child=2"
        lines = service.app.state.context.lines
        kept = service.client.get(address).content
        lines.forget()
        assert service.client.get(address).content == kept, steps


def test_a_line_may_begin_with_an_elite_and_says_when_that_is_another_one(service):
    told = service.client.get(f"/breed.json?from={service.run}/3").json()
    assert (told["number"], told["run"]["id"]) == (3, service.run)
    first = service.client.get(f"/breed/image.png?{told['query']}&child=0")
    assert (pixels_of(first) == pixels_of(service.client.get(f"{service.path}/elites/3.png"))).all()
    gone = service.client.get(f"/breed.json?from={service.run}/3/0-0-77777")
    assert gone.status_code == 409
    assert "another image" in gone.json()["detail"]


def test_what_is_saved_is_a_request_that_the_service_takes(service):
    """And that repeats the line: the same start, the same settings."""
    for query in (SEED, f"from={service.run}/3"):
        save = service.client.get(f"/breed.json?{query}&steps={LINE}").json()["save"]
        settings = settings_of(RunRequest(**save), ("builtin:lenet",))
        assert settings.search.line == LINE
        assert (settings.search.genotype is None) == (query == SEED)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("steps=99m50", 422),
        (f"steps={'_'.join(['m50'] * (MOST_STEPS + 1))}", 422),
        (f"steps={'1' * (LONGEST + 1)}", 422),
        ("steps=%3Cscript%3E", 422),
        ("seed=-1", 422),
        ("seed=1e999", 422),
        ("colour=blue", 422),
        ("model=python:os:system", 403),
        ("model=file:/etc/passwd", 403),
        (f"from={UNKNOWN}/0", 404),
        ("from=../../etc/0", 422),
        ("from=RUN/99", 404),
        ("from=RUN/99999999999999", 422),
    ],
)
def test_hostile_addresses_are_refused(service, query, status):
    for path in ("/breed.json?", "/breed/image.png?child=0&", "/breed/answers.json?"):
        answer = service.client.get(f"{path}{query.replace('RUN', service.run)}")
        assert answer.status_code == status, path
        assert "<script>" not in answer.text


def test_children_and_sizes_that_there_are_not_are_refused(service):
    for part in ("child=12", "child=-1", "child=0&size=0", "child=0&size=100000", "child=0&size=4096"):
        assert service.client.get(f"/breed/image.png?{SEED}&{part}").status_code == 422


def test_the_longest_line_is_bred_in_bounded_time(service):
    """It is bred once for all its images. The bound is loose: it catches a line whose cost has no bound at all."""
    steps = "_".join(["5x0.1.2.3.4.6.7.8.9.10.11m100"] * MOST_STEPS)
    began = time.monotonic()
    assert service.client.get(f"/breed.json?{SEED}&steps={steps}").status_code == 200
    assert time.monotonic() - began < 60


def test_answers_are_those_of_the_line_s_classifier(service, monkeypatch):
    """A failure shows people another image's confidence."""
    asked: dict[str, Any] = {}

    def ask(spec, pixels, *, views=None):
        asked.update(spec=spec, pixels=pixels)
        confidences = np.zeros((12, 3), np.float32)
        confidences[np.arange(12), np.arange(12) % 3] = 0.5 + np.arange(12) / 100
        confidences[11] = np.nan
        return Answers(Model(("a", "b", "c"), None, "f" * 64), confidences)

    monkeypatch.setattr(service.app.state.context.asker, "ask", ask)
    found = service.client.get(f"/breed/answers.json?{SEED}&steps={LINE}").json()
    shown = pixels_of(service.client.get(f"/breed/image.png?{SEED}&steps={LINE}&child=4"))
    assert asked["spec"] == "builtin:lenet"
    assert (asked["pixels"][4] == shown).all()
    assert [child["top"][0]["label"] for child in found["children"][:3]] == ["a", "b", "c"]
    assert found["children"][11]["top"] == []


def test_an_elite_s_settings_are_those_of_its_run(service):
    """Else a saved line would show other children than the page."""
    context = service.app.state.context
    origin = from_run(context.reader, ("builtin:lenet",), service.run, 3, None, 0, None)
    wanted = context.reader.reading(service.run).view.spec.config.encoding
    found = settings_of(
        RunRequest(config="breed", model=origin.model, set={**origin.settings, "search.line": "m50"}),
        ("builtin:lenet",),
    )
    assert origin.encoding.settings == wanted
    shared = type(found.encoding).model_fields
    assert {key: getattr(wanted, key) for key in shared if key not in ("size", "colour")} == {
        key: getattr(found.encoding, key) for key in shared if key not in ("size", "colour")
    }
