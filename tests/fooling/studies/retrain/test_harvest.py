"""Which images a run gives: distinct ones, the last elites among them, no more than asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fooling
from fooling import RunView
from fooling.errors import FoolingError, InvalidError
from fooling.studies.retrain import harvest as harvests
from fooling.studies.retrain.harvest import Collector, Harvest, chosen

GENERATIONS, CLASSES = 12, 9  # the tenth is left out, as "fooling" is


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunView, dict[int, Harvest]]:
    """A run against the shipped LeNet, and what is kept of it for several wishes."""
    collectors = {wanted: Collector(CLASSES, wanted, GENERATIONS) for wanted in (4, 25, 1000)}

    def report(view: RunView) -> None:
        for collector in collectors.values():
            collector(view)

    view = fooling.run(
        "mnist-cppn",
        out=tmp_path_factory.mktemp("harvest") / "run",
        assignments=[f"search.generations={GENERATIONS}", "search.population=40"],
        report=report,
    )
    return view, {wanted: collector.harvest(view) for wanted, collector in collectors.items()}


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
    kept = run[1][25]
    for name in ("a", "b"):
        harvests.write(tmp_path / f"{name}.npz", kept)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = harvests.read(tmp_path / "a.npz", str(kept.network))
    assert again is not None
    for name, array in vars(kept).items():
        assert np.array_equal(getattr(again, name), array)
    assert harvests.read(tmp_path / "c.npz", str(kept.network)) is None


def test_a_run_against_another_network_is_refused(run, tmp_path):
    """A network that was trained again and came out otherwise must not get the other's confidences."""
    harvests.write(tmp_path / "a.npz", run[1][4])
    with pytest.raises(InvalidError, match=r"expected a run against the network beside it \(0{12}\)"):
        harvests.read(tmp_path / "a.npz", "0" * 64)


def test_a_place_that_cannot_be_written_is_one_line(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FoolingError, match=r"can't write .*a\.npz"):
        harvests.write(tmp_path / "file" / "a.npz", run[1][4])
