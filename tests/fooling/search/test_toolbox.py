"""Operators in a DEAP toolbox: a user swaps one in a few lines, and what they swap is on record."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from deap import tools

import fooling
from cppn.keys import SELECT, USER, Keys
from fooling.errors import InvalidError
from fooling.search.toolbox import per_individual, select_cells
from fooling.store.summary import summary

SMALL = ["search.generations=6", "search.population=40"]


def scramble(population, keys):
    """An operator of a user's own: each child redraws a tenth of its genes."""
    for row in range(len(population)):
        rng = keys.generator(row)
        genes = population.flat[row]
        mask = rng.random(genes.shape) < 0.1
        genes[mask] = rng.random(mask.sum())
    return population


def test_a_user_swaps_mutate_for_their_own(tmp_path):
    """And the result does not depend on the chunk size, since draws come from the keys."""

    def mine(toolbox):
        toolbox.register("mutate", scramble)

    first = fooling.run("mnist-direct", out=tmp_path / "a", assignments=SMALL, customise=mine)
    again = fooling.run(
        "mnist-direct", out=tmp_path / "b", assignments=[*SMALL, "run.chunk=9"], customise=mine
    )
    plain = fooling.run("mnist-direct", out=tmp_path / "c", assignments=SMALL)
    assert first.archive.digest() == again.archive.digest() != plain.archive.digest()
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert list(manifest["operators"]) == ["mutate"]
    assert "scramble" in manifest["operators"]["mutate"]
    assert json.loads((tmp_path / "c" / "manifest.json").read_text())["operators"] == {}


def test_a_user_swaps_mutate_for_deaps_own(tmp_path):
    """A DEAP operator draws from the global `random`; seeded per child, it repeats too."""

    def deap_style(toolbox):
        mutate = per_individual(tools.mutPolynomialBounded, eta=15, low=0.0, up=1.0, indpb=0.1)
        toolbox.register("mutate", mutate)

    runs = [
        fooling.run("mnist-direct", out=tmp_path / name, assignments=[*SMALL, chunk], customise=deap_style)
        for name, chunk in (("a", "run.chunk=40"), ("b", "run.chunk=11"))
    ]
    assert runs[0].archive.digest() == runs[1].archive.digest()
    assert summary(runs[0]).confidence.median > 0.1


def test_resume_asks_for_the_same_operators(tmp_path):
    """To go on with other operators would be another run under the same name."""

    def stop_early(view):
        if view.generation == 3:
            raise KeyboardInterrupt

    def mine(toolbox):
        toolbox.register("mutate", scramble)

    with pytest.raises(KeyboardInterrupt):
        fooling.run("mnist-direct", out=tmp_path / "a", assignments=SMALL, customise=mine, report=stop_early)
    with pytest.raises(InvalidError, match="operators"):
        fooling.resume(tmp_path / "a")
    resumed = fooling.resume(tmp_path / "a", customise=mine)
    whole = fooling.run("mnist-direct", out=tmp_path / "b", assignments=SMALL, customise=mine)
    assert resumed.archive.digest() == whole.archive.digest()


class Cells:
    """An archive as far as selection reads it."""

    occupied = np.array([1, 4, 7])


CELLS: Any = Cells()


def test_parents_are_drawn_uniformly_from_the_occupied_cells():
    chosen = select_cells(CELLS, Keys.of_generation(3, 1, 30_000))
    for column in chosen.T:
        shares = np.bincount(column, minlength=8) / len(column)
        assert shares[[1, 4, 7]] == pytest.approx(1 / 3, abs=0.015)
        assert set(column) == {1, 4, 7}


@pytest.mark.parametrize("seed", [0, 3, 2**64 - 1])
def test_parents_are_what_the_keys_draw(seed):
    """A failure costs replays, and equal archives under another version."""
    keys = Keys.of_generation(seed, 4, 100, stream=2)[5:90]
    drawn = Cells.occupied[(keys.pairs().uniform(SELECT, 2) * 3).astype(int)]
    swapped = np.where((keys.children % 2 == 1)[:, None], drawn[:, ::-1], drawn)
    assert np.array_equal(select_cells(CELLS, keys), swapped)


def test_an_archive_without_elites_has_no_parents():
    empty: Any = SimpleNamespace(occupied=np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="archive with an elite"):
        select_cells(empty, Keys.of_generation(3, 1, 10))


def test_siblings_share_their_parents_in_swapped_roles():
    chosen = select_cells(CELLS, Keys.of_generation(3, 1, 10))
    assert np.array_equal(chosen[0::2], chosen[1::2, ::-1])


def test_selection_does_not_depend_on_chunks():
    keys = Keys.of_generation(3, 5, 50)
    whole = select_cells(CELLS, keys)
    parts = [select_cells(CELLS, keys[start : start + 7]) for start in range(0, 50, 7)]
    assert np.array_equal(whole, np.concatenate(parts))


def test_the_generator_of_a_child_is_its_own():
    keys = Keys.of_generation(3, 5, 4)
    first = keys.generator(2, USER).random(5)
    assert np.array_equal(first, keys[2:3].generator(0, USER).random(5))
    assert not np.array_equal(first, keys.generator(1, USER).random(5))
    assert not np.array_equal(first, keys.generator(2, USER + 1).random(5))
