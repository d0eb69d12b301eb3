"""The guard of folders that a command writes over: a wrong answer costs a user's files, or their patience."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fooling.errors import FoolingError
from fooling.files import refuse_foreign

DATA, KIND = "comparison.json", "fooling comparison"


def older(folder: Path) -> None:
    folder.mkdir()
    (folder / DATA).write_text(json.dumps({"kind": KIND}))
    (folder / "figure.png").touch()


def holding(text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / DATA).write_text(text)

    return make


OURS = {"nothing": lambda folder: None, "an empty folder": Path.mkdir, "an older one": older}
FOREIGN = {
    "a file": Path.touch,
    "a folder without our data": lambda folder: (folder / "holiday.png").mkdir(parents=True),
    "another kind": holding(json.dumps({"kind": "fooling transfer"})),
    "data without a kind": holding("{}"),
    "a list": holding("[]"),
    "no JSON": holding("{"),
}


@pytest.mark.parametrize("name", OURS)
def test_what_may_be_written_over(name, tmp_path):
    OURS[name](tmp_path / "out")
    refuse_foreign(tmp_path / "out", DATA, KIND)


@pytest.mark.parametrize("name", FOREIGN)
def test_what_may_not(name, tmp_path):
    FOREIGN[name](tmp_path / "out")
    with pytest.raises(FoolingError, match="out exists and is no fooling comparison; remove it, or give"):
        refuse_foreign(tmp_path / "out", DATA, KIND)
