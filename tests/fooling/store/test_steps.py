"""Steps are done once, whatever stops the work. A failure repeats hours of it, or mixes two pieces of work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fooling.errors import FoolingError, InvalidError
from fooling.store.steps import StepStore, arrays_of, opened

RECORD, KIND = "work.json", "some work"


def open_with(path: Path, **inputs: Any) -> Any:
    return opened(path, RECORD, KIND, {"of": inputs}, growing=("of.rounds",))


def test_a_step_is_done_once_and_looks_the_same_ever_after(tmp_path: Path) -> None:
    store, made = StepStore(tmp_path), []

    def make() -> Any:
        made.append(1)
        return {"value": (1, 2)}

    first, second = (store.once("deep/thing", make) for _ in range(2))
    assert first == second == {"value": [1, 2]}, "the first answer must look like the one that is read back"
    assert len(made) == 1


def test_a_step_that_fails_keeps_nothing(tmp_path: Path) -> None:
    """Half a result that is taken for a whole one would be in every page made from it."""
    store = StepStore(tmp_path)
    with pytest.raises(KeyError):
        store.once("thing", lambda: {}["no"])
    assert store.once("thing", lambda: 3) == 3


def test_arrays_are_kept_to_the_bit(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Two:
        a: np.ndarray
        b: np.ndarray

    kept = StepStore(tmp_path).once("two", lambda: Two(np.arange(3), np.array("x")), arrays_of(Two))
    assert kept.a.tolist() == [0, 1, 2]
    assert str(kept.b) == "x"


def test_a_damaged_step_is_named_and_not_done_over(tmp_path: Path) -> None:
    (tmp_path / "thing.json").write_text("{")
    with pytest.raises(InvalidError, match=r"thing\.json: expected the result of a step.*remove it"):
        StepStore(tmp_path).once("thing", lambda: 1)


def test_other_inputs_are_refused_once_something_is_kept(tmp_path: Path) -> None:
    with open_with(tmp_path, seed=1):
        pass
    with open_with(tmp_path, seed=2) as store:  # nothing was kept: the inputs may still be put right
        store.once("thing", lambda: 1)
    with pytest.raises(InvalidError, match=r"of\.seed was 2, found 3.*--out"), open_with(tmp_path, seed=3):
        pass
    with open_with(tmp_path, seed=2) as store:
        assert store.once("thing", lambda: 7) == 1


def test_what_may_grow_grows_and_does_not_shrink(tmp_path: Path) -> None:
    for rounds in (1, 3):
        with open_with(tmp_path, rounds=rounds) as store:
            store.once("thing", lambda: 1)
    with pytest.raises(InvalidError, match=r"of\.rounds was 3, found 2"), open_with(tmp_path, rounds=2):
        pass


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """Two processes that do the same steps would overwrite each other's results."""
    with open_with(tmp_path), pytest.raises(FoolingError, match="by another process"), open_with(tmp_path):
        pass


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(FoolingError, match="is no some work"), open_with(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FoolingError, match=r"can't write .*thing\.json"):
        StepStore(tmp_path / "file").once("thing", lambda: 1)
