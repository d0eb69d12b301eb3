"""Images that are left in their file. A failure costs the service gigabytes of memory for a list of elites, or shows an
image that is not the elite's."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from benchmarks.made_up import make_run
from fooling.errors import InvalidError
from fooling.store.reading import open_run
from fooling.store.rows import Rows
from fooling.store.summary import summary


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_a_run_is_the_same_whether_its_images_are_in_memory_or_not(
    tmp_path: Path, encoding: Literal["cppn", "direct"]
) -> None:
    make_run(tmp_path / "run", 5, 8, "rgb", encoding)
    run, light = open_run(tmp_path / "run"), open_run(tmp_path / "run", in_memory=0)
    assert isinstance(light.archive.pixels, Rows)
    assert light.stored_pixels.shape == run.stored_pixels.shape
    np.testing.assert_array_equal(light.images, run.images)
    np.testing.assert_array_equal(light.elite(3).pixels, run.elite(3).pixels)
    assert summary(light) == summary(run)


def test_a_deleted_file_is_still_read_and_one_that_was_cut_short_is_an_error(tmp_path: Path) -> None:
    """A run that goes on replaces its checkpoints under whoever reads them."""
    make_run(tmp_path / "run", 3, 8, "grey")
    run, light = open_run(tmp_path / "run"), open_run(tmp_path / "run", in_memory=0)
    (path,) = (tmp_path / "run" / "checkpoints").iterdir()
    with open(path, "r+b") as file:
        path.unlink()
        np.testing.assert_array_equal(light.elite(2).pixels, run.elite(2).pixels)
        file.truncate(300)
    with pytest.raises(InvalidError, match="cut short"):
        light.elite(2)


def test_rows_are_taken_as_from_an_array(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.uint8).reshape(6, 4)
    path = tmp_path / "values"
    path.write_bytes(b"head" + values.tobytes())
    rows = Rows(open(path, "rb"), 4, values.shape, values.dtype)
    np.testing.assert_array_equal(rows[np.array([5, 0])], values[[5, 0]])
    np.testing.assert_array_equal(rows[values[:, 0] > 8], values[values[:, 0] > 8])
    np.testing.assert_array_equal(np.asarray(rows[:2]), values[:2])
    with pytest.raises(IndexError):
        rows[6]
