"""A run in one's hand. A failure costs whoever runs from a notebook or a service: a run that can't be stopped, or a
snapshot that changes under the reader."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

import fooling
from fooling.errors import FoolingError, InvalidError
from fooling.store.snapshot import Snapshot

LONG = ("search.generations=100000", "search.population=60")


@pytest.fixture
def running(tmp_path: Path) -> fooling.RunHandle:
    return fooling.start("mnist-cppn", out=tmp_path / "run", assignments=LONG)


def test_a_run_in_a_thread_is_stopped_from_another_with_its_checkpoint(running: fooling.RunHandle) -> None:
    """What it had found would be lost, or the process could not be ended."""
    records = running.events()
    assert [next(records)["generation"] for _ in range(3)] == [0, 1, 2]
    stopper = threading.Thread(target=running.stop)
    stopper.start()
    found = running.result(timeout=60)
    stopper.join()
    assert (found.status, running.status) == ("interrupted", "interrupted")
    assert running.directory is not None
    kept = fooling.open_run(running.directory)
    assert kept.generation == found.generation >= 2
    assert kept.archive.digest() == found.archive.digest()
    assert list(kept.curve) == list(found.curve)
    assert list(records)[-1]["event"] == "interrupted"


def test_a_snapshot_never_changes(running: fooling.RunHandle) -> None:
    """A page, a figure or a study would mix two generations."""
    try:
        early = running.snapshot(timeout=60)
        arrays = {name: array.copy() for name, array in early.archive.arrays().items()}
        pixels, images = early.stored_pixels, early.stored_pixels.copy()  # a view outlives the snapshot
        digest, curve = early.archive.digest(), list(early.curve)
        while (late := running.snapshot(timeout=60)).archive.digest() == digest:
            time.sleep(0.01)
        assert late.generation > early.generation
        assert early.archive.digest() == digest
        assert list(early.curve) == curve
        for name, array in early.archive.arrays().items():
            np.testing.assert_array_equal(array, arrays[name])
        del early, late
        running.snapshot(timeout=60)
        np.testing.assert_array_equal(pixels, images)
    finally:
        running.stop()
        running.result(timeout=60)


def test_a_snapshot_can_not_be_written(running: fooling.RunHandle) -> None:
    found = running.snapshot(timeout=60)
    running.stop()
    for array in (found.confidence, found.ids, found.stored_pixels, found.archive.pixels, found.archive.rows):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    running.result(timeout=60)


def test_what_is_reported_is_dropped_without_a_copy(tmp_path: Path) -> None:
    """A progress line would cost a copy of all elites in each generation."""
    rows = set()

    def report(found: Snapshot) -> None:
        rows.add(found.archive.pixels.__array_interface__["data"][0])

    fooling.run(
        "mnist-direct",
        out=tmp_path / "run",
        assignments=["search.generations=8", "search.population=60"],
        report=report,
    )
    assert len(rows) == 1


def test_it_ends_as_the_same_run_elsewhere(tmp_path: Path) -> None:
    """A notebook's run would not be the command line's."""
    short = ["search.generations=5", "search.population=60"]
    handle = fooling.start(out=tmp_path / "a", seed=3, assignments=short)
    here = fooling.run(out=tmp_path / "b", flags={"seed": 3}, assignments=short)
    there = handle.result(timeout=100)
    assert there.status == handle.status == "completed"
    assert there.archive.digest() == here.archive.digest()
    again = fooling.RunHandle.resume(tmp_path / "a")
    assert again.result(timeout=60).archive.digest() == here.archive.digest()
    assert list(again.events()) == []


def test_a_run_that_fails_says_why_to_whoever_asks(tmp_path: Path) -> None:
    """A handle would wait for ever, or hide the reason."""
    handle = fooling.start(out=tmp_path / "run", model="builtin:nothing")
    with pytest.raises(FoolingError, match="nothing"):
        handle.result(timeout=60)
    assert handle.status == "failed"
    assert list(handle.events()) == []
    with pytest.raises(FoolingError, match="nothing"):
        handle.snapshot()


def test_a_wait_that_is_too_short_says_so(running: fooling.RunHandle) -> None:
    with pytest.raises(TimeoutError, match="it goes on"):
        running.result(timeout=0.01)
    running.stop()
    running.result(timeout=60)


def test_a_classifier_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidError, match="classifier"):
        fooling.open_evaluator(object())  # type: ignore[arg-type]
