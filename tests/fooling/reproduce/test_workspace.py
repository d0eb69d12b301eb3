"""Experiments share runs and go on where they were; a failure here repeats hours of work, or mixes two scales."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fooling
from fooling.errors import FoolingError, InvalidError
from fooling.reproduce.workspace import MissingInput, Scale, Workspace
from fooling.store.snapshot import Snapshot

SMALL = Scale(quick=True, seeds=3, generations=3)


def test_a_run_is_made_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    first = workspace.digits("cppn")
    monkeypatch.setattr(fooling, "run", None)  # a second run would fail
    again = workspace.digits("cppn")
    assert [run.archive.digest() for run in again] == [run.archive.digest() for run in first]
    assert [run.spec.config.seed for run in again] == [0, 1, 2]
    assert all(run.generation == 3 for run in again)


def test_other_settings_are_another_run(workspace: Workspace) -> None:
    one = workspace.run("mnist-cppn", 0, search__generations=2)
    other = workspace.run("mnist-cppn", 0, search__generations=2, search__population=60)
    model = workspace.run("mnist-cppn", 0, search__generations=2, model="builtin:lenet-b")
    assert len({run.directory for run in (one, other, model)}) == 3
    assert other.spec.config.search.population == 60


def test_an_interrupted_run_is_finished_as_if_nothing_had_been(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = workspace.run("mnist-cppn", 0, name="whole", search__generations=4)
    original = fooling.run

    class Crash(Exception):
        pass

    def crash(view: Snapshot) -> None:
        if view.generation == 2:
            raise Crash

    monkeypatch.setattr(fooling, "run", lambda *a, **k: original(*a, **k, report=crash))
    with pytest.raises(Crash):
        workspace.run("mnist-cppn", 0, name="broken", search__generations=4)
    monkeypatch.setattr(fooling, "run", None)
    finished = workspace.run("mnist-cppn", 0, name="broken", search__generations=4)
    assert finished.archive.digest() == whole.archive.digest()


def test_a_measurement_is_made_once(workspace: Workspace) -> None:
    made = []

    def measure() -> dict[str, Any]:
        made.append(1)
        return {"value": (1, 2)}

    first, second = (workspace.once("thing", measure) for _ in range(2))
    assert first == second == {"value": [1, 2]}, "the first answer must look like the one that is read back"
    assert len(made) == 1


def test_two_scales_are_not_mixed(workspace: Workspace) -> None:
    Workspace(workspace.folder, SMALL)
    with pytest.raises(InvalidError, match=r"made with --quick and 3 seeds, not with 5 seeds.*--out"):
        Workspace(workspace.folder, Scale())


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(FoolingError, match="is no fooling reproduction"):
        Workspace(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"kind": "fooling reproduction", "scale": 3})])
def test_a_damaged_manifest_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "reproduction.json").write_text(content)
    with pytest.raises(
        FoolingError, match=r"is no fooling reproduction|reproduction\.json: expected the scale"
    ):
        Workspace(tmp_path, SMALL)


def test_missing_data_says_what_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOOLING_ASSETS", raising=False)
    bare = Workspace(tmp_path / "a", SMALL)
    with pytest.raises(MissingInput, match=r"mnist .*--data DIR"):
        bare.mnist()
    with pytest.raises(MissingInput, match=r"cifar10/cifar10\.npz .*--data DIR"):
        bare.cifar10()
    with pytest.raises(MissingInput, match="--model SPEC"):
        bare.imagenet()
    wrong = Workspace(tmp_path / "b", SMALL, data=tmp_path / "nowhere")
    with pytest.raises(MissingInput, match=r"nowhere.* is not there"):
        wrong.mnist()


def test_data_are_found_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assets" / "mnist").mkdir(parents=True)
    monkeypatch.setenv("FOOLING_ASSETS", str(tmp_path / "assets"))
    assert Workspace(tmp_path / "a", SMALL).mnist() == tmp_path / "assets" / "mnist"
