"""Whether a stranger's run directory runs code. A failure costs whoever looks at one their machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
from click.testing import CliRunner

from fooling import classifiers, resume
from fooling.cli.app import cli
from fooling.errors import InvalidError
from tests.fooling.runs.foreign import edit_manifest, unfinished

EVIL = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\ndef build(): raise SystemExit\n"
DESCRIPTION = """
name = "lenet"
size = 28
colour = "grey"
labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
[network]
architecture = "{architecture}"
weights = "weights.safetensors"
"""


def name_model(run: Path, model: str) -> None:
    """As a stranger would: trusted, by the manifest's own word."""

    def change(manifest):
        manifest.update(trust=True, model=model)
        manifest["config"]["model"] = model

    edit_manifest(run, change)


@pytest.fixture
def foreign(small_run, tmp_path, monkeypatch) -> Path:
    """An unfinished run of a stranger, and code beside it, in it and in the working directory."""
    run = unfinished(small_run[0], tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for folder in (tmp_path, run):
        (folder / "evil.py").write_text(EVIL)
        safetensors.torch.save_file({}, folder / "weights.safetensors")
        (folder / "spec.toml").write_text(DESCRIPTION.format(architecture="evil:build"))
    return run


MODELS = ["python:evil:build", "file:spec.toml", "file:foreign/spec.toml", "file:./foreign/../spec.toml"]
COMMANDS = [("resume", "foreign"), ("lineage", "foreign", "--class", "0"), ("show", "foreign", "--verify")]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_no_code_runs_by_the_manifests_word(command, model, foreign, tmp_path):
    name_model(foreign, model)
    result = CliRunner().invoke(cli, command, standalone_mode=False)
    assert isinstance(result.exception, InvalidError), result
    assert "--trust" in str(result.exception)
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_it_runs_by_the_users(command, foreign, tmp_path):
    """Without this the tests above would pass with a dud."""
    name_model(foreign, "python:evil:build")
    CliRunner().invoke(cli, [*command, "--trust"], standalone_mode=False)
    assert (tmp_path / "ran").exists()
    import sys

    sys.modules.pop("evil", None)


def test_looking_opens_no_model(foreign, tmp_path):
    name_model(foreign, "python:evil:build")
    for command in (["show", "foreign"], ["gallery", "foreign"], ["export", "foreign"]):
        assert CliRunner().invoke(cli, command, standalone_mode=False).exception is None
    assert not list(tmp_path.rglob("ran"))


def test_data_in_the_directory_is_no_code(foreign):
    """A run that brings its weights along, of a built-in architecture, is resumed as it is."""
    network = classifiers.load("builtin:lenet").network
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    safetensors.torch.save_file(weights, foreign / "weights.safetensors")
    (foreign / "spec.toml").write_text(DESCRIPTION.format(architecture="lenet"))
    name_model(foreign, "file:foreign/spec.toml")
    fingerprint = classifiers.load("file:foreign/spec.toml").fingerprint
    edit_manifest(foreign, lambda manifest: manifest["classifier"].update(fingerprint=fingerprint))
    assert resume(foreign).status == "completed"


def test_a_cluster_is_not_joined_by_the_manifests_word(foreign):
    """Ray's messages are pickles: whoever answers there runs code here."""
    edit_manifest(foreign, lambda manifest: manifest["config"]["run"].update(address="203.0.113.7:6379"))
    with pytest.raises(InvalidError, match=r"Ray cluster at 203\.0\.113\.7:6379, .* say --address 203"):
        resume(foreign)
    assert resume(foreign, workers=0).status == "completed"


def test_a_server_is_not_asked_by_a_spec_in_the_directory(foreign, monkeypatch):
    """It would get the secrets that the spec names."""
    monkeypatch.setenv("FOOLING_HTTP_KEY", "secret")
    name_model(foreign, "http:foreign/server.toml")
    with pytest.raises(InvalidError, match=r"foreign/server.toml lies in the run directory"):
        resume(foreign)


def test_nor_by_an_ensemble_in_the_directory(foreign, monkeypatch):
    """A member is asked as the model itself would be."""
    monkeypatch.setenv("FOOLING_HTTP_KEY", "secret")
    ensemble = 'name = "e"\n[ensemble]\nmembers = ["file:inner.toml", "builtin:lenet"]\n'
    (foreign / "spec.toml").write_text(ensemble)
    (foreign / "inner.toml").write_text(ensemble.replace("file:inner.toml", "http:foreign/server.toml"))
    name_model(foreign, "file:foreign/spec.toml")
    with pytest.raises(InvalidError, match=r"foreign/server.toml lies in the run directory"):
        resume(foreign)


def test_the_manifest_keeps_it_as_information(small_run):
    assert json.loads((small_run[0] / "manifest.json").read_text())["trust"] is False
