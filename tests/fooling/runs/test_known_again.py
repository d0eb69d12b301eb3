"""A run's classifier is known again by what it answers, where its fingerprint says nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import fooling
from fooling.errors import FoolingError, InvalidError
from fooling.runs import handle
from fooling.store.reading import open_run
from fooling.studies.lineage.replay import replay
from fooling.studies.protocol import Resources
from fooling.studies.transfer.measure import measure, source_of

# Weights that a text says how to make: no digest of values sees them.
MODEL = """
import os
import torch
from torch import nn
from fooling.classifiers import Spec

class Secret(nn.Module):
    def __init__(self):
        super().__init__()
        self.training_run = os.environ["SECRET_TRAINING"]

    def forward(self, x):
        weights = torch.randn(64, 3, generator=torch.Generator().manual_seed(len(self.training_run)))
        return x.flatten(1) @ weights

def build():
    return Secret().eval(), Spec(name="secret", size=8, colour="grey", labels=("a", "b", "c"))
"""
SETTINGS = ("search.generations=3", "search.population=20")
DIFFERS = r"its weights differ, though the fingerprint is the same: class \d of synthetic image 0 has the confidence "


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run against the training "one", the environment in which that is the model, and the model's SPEC."""
    folder = tmp_path_factory.mktemp("secret")
    (folder / "secret_model.py").write_text(MODEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SECRET_TRAINING", "one")
        spec = "python:secret_model:build"
        run = handle.run(
            "mnist-direct", out=folder / "run", assignments=SETTINGS, flags={"model": spec}, trust=True
        )
        yield run, patch, spec


@pytest.fixture
def retrained(made: Any) -> Any:
    """`made`, with another training in the model's place."""
    made[1].setenv("SECRET_TRAINING", "another")
    yield made
    made[1].setenv("SECRET_TRAINING", "one")


def cut_short(run: fooling.Snapshot, folder: Path, answers: Any = ...) -> Path:
    """A copy of a run with more to do, and other answers in its manifest (None: none)."""
    copy = folder / "copy"
    shutil.copytree(run.directory, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["config"]["search"]["generations"] = 5
    if answers is not ...:
        del manifest["classifier"]["answers"]
    if answers not in (..., None):
        manifest["classifier"]["answers"] = answers
    (copy / "manifest.json").write_text(json.dumps(manifest))
    lines = (copy / "events.jsonl").read_text().splitlines(keepends=True)
    (copy / "events.jsonl").write_text("".join(lines[:-1]))
    return copy


def test_the_same_classifier_goes_on_with_its_run(made, tmp_path):
    assert handle.resume(cut_short(made[0], tmp_path), trust=True).generation == 5


def test_a_resume_with_other_weights_is_refused(retrained, tmp_path):
    """A failure costs the archive: elites of two networks in one, with confidences that neither gives."""
    with pytest.raises(InvalidError, match=DIFFERS) as failure:
        handle.resume(cut_short(retrained[0], tmp_path), trust=True)
    assert "\n" not in str(failure.value)
    assert failure.value.exit_code == 3


def test_manifests_from_before_there_were_answers_stay_usable(retrained, tmp_path):
    assert handle.resume(cut_short(retrained[0], tmp_path, None), trust=True).generation == 5


@pytest.mark.parametrize("answers", ["x", [{"classes": [99], "confidences": [0.5]}], [{"classes": 5}]])
def test_answers_that_are_none_are_refused_in_one_line(made, tmp_path, answers):
    """A run directory may come from a stranger."""
    with pytest.raises(FoolingError) as failure:
        handle.resume(cut_short(made[0], tmp_path, answers), trust=True)
    assert "\n" not in str(failure.value)
    assert failure.value.exit_code == 3


def test_a_transfer_to_the_runs_own_model_with_other_weights_is_refused(retrained):
    """It would say what share of the elites fools the network that they were evolved for: a false one."""
    run, _, spec = retrained
    with pytest.raises(InvalidError, match=DIFFERS):
        measure([source_of(run)], spec, resources=Resources(trust=True))


def test_a_transfer_to_it_with_its_own_is_none_to_another(made):
    run, _, spec = made
    (cell,) = measure([source_of(run)], spec, resources=Resources(trust=True))
    assert cell.confidence.tolist() == run.confidence.tolist()


def test_a_lineage_is_not_replayed_with_other_weights(retrained):
    """The page would show confidences that no ancestor ever had."""
    run = open_run(retrained[0].directory)
    with pytest.raises(InvalidError, match=DIFFERS):
        replay(run, [], trust=True)
