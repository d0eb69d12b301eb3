"""A line saved as a run. A failure costs whoever bred it the line, or the claim that it can be computed again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fooling
from fooling.archive import lineage
from fooling.config import resolve
from fooling.encodings import create
from fooling.errors import InvalidError
from fooling.search.breed.brood import Breeder
from fooling.search.line import start
from fooling.search.line.steps import from_text
from fooling.store.reading import lineage_of, open_run
from fooling.store.summary import summary

LINE = "3.7x1m50_0m80_m20_1.2m50"


@pytest.fixture(scope="module")
def bred(tmp_path_factory):
    """A small line, saved."""
    out = tmp_path_factory.mktemp("bred") / "run"
    return fooling.run("breed", out=out, seed=5, assignments=[f"search.line={LINE}"])


def test_the_run_has_the_best_of_all_images_of_the_line(bred):
    """All images of all generations compete, and what is kept is what the page showed."""
    encoding: Any = create(bred.spec.config.encoding, 28, "grey")
    broods = list(Breeder(encoding, 5).broods(from_text(LINE)))
    assert (bred.generation, bred.evaluations) == (4, 60)
    assert bred.occupied.all()
    for number in range(10):
        generation, _, child = bred.ids[number].tolist()
        place = int(np.flatnonzero(broods[generation].numbers == child)[0])
        shown = encoding.render(broods[generation].genotypes.take([place]))[0]
        assert (bred.elite(number).pixels == shown).all()


def test_it_opens_like_any_run(bred, tmp_path):
    """`show`, the gallery and exports ask for no more than this."""
    again = open_run(bred.directory)
    told = summary(again).document()
    assert (told["status"], told["config"]["search"]) == (
        "completed",
        {"name": "breed", "line": LINE, "genotype": None},
    )
    assert (bred.directory / "elites" / "0007.png").is_file()
    records = lineage_of(again)
    known = {tuple(row[:3]) for row in records.tolist()}
    assert {tuple(row) for row in again.ids.tolist()} <= known
    assert {tuple(row[3:6]) for row in records.tolist() if row[3] >= 0} <= known
    assert records.shape[1] == lineage.WIDTH


def test_an_interrupted_one_goes_on_to_the_same_end(bred, tmp_path):
    """The digests say so, that of the lineage too, which the search itself has to remember."""
    handle = fooling.start("breed", out=tmp_path / "run", seed=5, assignments=[f"search.line={LINE}"])
    for event in handle.events():
        if event["event"] == "generation" and event["generation"] == 1:
            handle.stop()
    handle.result()
    fooling.resume(tmp_path / "run")
    ours, theirs = (summary(open_run(path)).document() for path in (tmp_path / "run", bred.directory))
    for key in ("archive_sha256", "lineage_sha256", "evaluations"):
        assert ours[key] == theirs[key]


def test_a_line_may_begin_with_an_elite(bred, tmp_path):
    genotype = start.to_text(bred.archive.genotypes, int(bred.stored_rows[3]))
    flags = {"search.genotype": genotype, "search.line": "0m50"}
    found = fooling.run("breed", out=tmp_path / "run", flags=flags)
    assert found.confidence[3] >= bred.confidence[3]  # it is one of the first children


@pytest.mark.parametrize(
    "flags",
    [
        {"search.line": "99m50"},
        {"search.genotype": "AAAA"},
        {"search.line": "m50", "search.generations": 3},
    ],
)
def test_what_is_no_line_is_refused_at_once(flags):
    with pytest.raises(InvalidError):
        resolve("breed", (), flags)


def test_direct_images_are_not_bred(tmp_path):
    with pytest.raises(InvalidError, match="expected cppn for breed"):
        fooling.run("breed", out=tmp_path / "run", flags={"encoding.name": "direct"})
