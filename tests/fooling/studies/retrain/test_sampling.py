"""Which images a run gives: distinct ones, the last elites among them, no more than asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fooling
from fooling import Snapshot
from fooling.store.steps import StepStore
from fooling.studies.retrain.sampling import FORM, EliteSampler, SampledRun, chosen

GENERATIONS, CLASSES = 12, 9  # the tenth is left out, as "fooling" is


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, dict[int, SampledRun]]:
    """A run against the shipped LeNet, and what is kept of it for several wishes."""
    samplers = {wanted: EliteSampler(CLASSES, wanted, GENERATIONS) for wanted in (4, 25, 1000)}

    def report(view: Snapshot) -> None:
        for sampler in samplers.values():
            sampler(view)

    view = fooling.run(
        "mnist-cppn",
        out=tmp_path_factory.mktemp("sampled") / "run",
        assignments=[f"search.generations={GENERATIONS}", "search.population=40"],
        report=report,
    )
    return view, {wanted: sampler.sample(view) for wanted, sampler in samplers.items()}


@pytest.mark.parametrize("wanted", [4, 25, 1000])
def test_images_are_distinct_and_in_the_order_of_their_generations(run, wanted):
    kept = run[1][wanted]
    assert len({image.tobytes() for image in kept.images}) == len(kept.images) <= wanted
    assert (np.diff(kept.generations) >= 0).all()
    assert len(kept.images) == wanted or wanted == 1000


def test_elites_of_several_generations_serve(run):
    """As in the paper; a failure makes the fooling class all of a kind."""
    assert len(set(run[1][25].generations.tolist())) >= 5


def test_the_last_elites_are_among_them(run):
    view, kept = run
    taken = {image.tobytes() for image in kept[25].images}
    for number in range(CLASSES):
        assert view.stored_pixels[view.stored_rows[number]].tobytes() in taken
    assert np.array_equal(kept[25].confidences, view.confidence[:CLASSES])
    assert np.array_equal(kept[25].elites, view.stored_pixels[view.stored_rows[:CLASSES]])


def test_the_elite_of_the_class_fooling_is_left_out(run):
    """It fools nobody: to train on it would be to train on what is known."""
    view, kept = run
    last = view.stored_rows[CLASSES]
    assert last not in view.stored_rows[:CLASSES]  # else this run would show nothing
    assert view.stored_pixels[last].tobytes() not in {image.tobytes() for image in kept[1000].images}


@given(st.integers(0, 40), st.integers(0, 12), st.integers(1, 60))
def test_as_many_as_there_are_evenly_spread(earlier, last, wanted):
    older, newer = list(range(earlier)), list(range(100, 100 + last))
    found = chosen(older, newer, wanted)
    assert len(found) == min(wanted, earlier + last)
    assert found == sorted(set(found))
    if wanted >= last:
        assert set(newer) <= set(found)
    steps = np.diff([one for one in found if one < 100])
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_what_is_written_reads_back_and_repeats(run, tmp_path):
    kept, store = run[1][25], StepStore(tmp_path)
    again, _ = (store.once(name, lambda: kept, FORM) for name in ("a", "b"))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    for name, array in vars(kept).items():
        assert np.array_equal(getattr(again, name), array)
