"""Experiments share runs and go on where they were; a failure here repeats hours of work, or mixes two scales."""

from __future__ import annotations

from pathlib import Path

import pytest

import fooling
from fooling.errors import InvalidError
from fooling.reproduce.workspace import MissingInput, Scale, Workspace, open_workspace
from fooling.store.snapshot import Snapshot
from fooling.store.steps import StepStore

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


def test_two_scales_are_not_mixed(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "a", SMALL) as workspace:
        assert workspace.once("thing", lambda: 1) == 1
    with open_workspace(tmp_path / "a", SMALL) as workspace:
        assert workspace.once("thing", lambda: 2) == 1, "a measurement is made once"
    with (
        pytest.raises(InvalidError, match=r"scale\.generations was 3, found 200.*--out"),
        open_workspace(tmp_path / "a", Scale()),
    ):
        pass


def test_missing_data_says_what_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOOLING_ASSETS", raising=False)
    bare = Workspace(StepStore(tmp_path / "a"), SMALL)
    with pytest.raises(MissingInput, match=r"mnist .*--data DIR"):
        bare.mnist()
    with pytest.raises(MissingInput, match=r"cifar10/cifar10\.npz .*--data DIR"):
        bare.cifar10()
    with pytest.raises(MissingInput, match="--model SPEC"):
        bare.imagenet()
    wrong = Workspace(StepStore(tmp_path / "b"), SMALL, data=tmp_path / "nowhere")
    with pytest.raises(MissingInput, match=r"nowhere.* is not there"):
        wrong.mnist()


def test_data_are_found_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assets" / "mnist").mkdir(parents=True)
    monkeypatch.setenv("FOOLING_ASSETS", str(tmp_path / "assets"))
    assert Workspace(StepStore(tmp_path / "a"), SMALL).mnist() == tmp_path / "assets" / "mnist"
