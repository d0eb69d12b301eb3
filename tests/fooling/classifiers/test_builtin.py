"""The networks that come with the package: they are what their provenance says, in every process."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from fooling import classifiers
from fooling.classifiers import samples
from fooling.classifiers.check import check
from fooling.classifiers.numerics import resolve
from fooling.classifiers.sources.builtin import FOLDER
from fooling.classifiers.synthetic import synthetic
from fooling.errors import InvalidError
from fooling.model_specs import BUILTIN
from fooling.training import TrainingRecipe, recipe_for, train
from fooling.training.measures import measure

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


@pytest.mark.parametrize("name", BUILTIN)
def test_a_builtin_network_passes_its_check(name):
    report = check(classifiers.load(f"builtin:{name}"))
    assert [finding for finding in report.findings if finding.status != "ok"] == []
    assert "expected" in [finding.name for finding in report.findings]


@pytest.mark.parametrize("name", BUILTIN)
def test_its_provenance_is_true(assets, name):
    """Reports quote these numbers."""
    classifier = classifiers.load(f"builtin:{name}")
    data = json.loads((FOLDER / f"{name}.json").read_text())
    found = measure(classifier, samples.read(assets / "mnist", classifier.spec))
    stated = data["provenance"]["test"]
    assert found.images == stated["images"] == 10_000
    assert found.accuracy == pytest.approx(stated["accuracy"], abs=2e-4)
    assert found.accuracy >= (0.99 if name.startswith("lenet") else 0.975)
    assert found.calibration_error == pytest.approx(stated["calibration_error"], abs=1e-4)
    assert found.near_certain == pytest.approx(stated["near_certain"], abs=1e-3)
    assert found.near_certain < 0.75, "trained into saturation, it would call anything near-certain"


def test_they_are_different_networks():
    """Transfer between them would otherwise be a tautology."""
    loaded = [classifiers.load(f"builtin:{name}") for name in BUILTIN]
    for one, other in itertools.combinations(loaded, 2):
        assert one.fingerprint != other.fingerprint
        assert np.abs(one.expected - other.expected).max() > 0.1


@pytest.mark.parametrize("name", BUILTIN)
def test_its_provenance_is_a_recipe_that_can_be_followed(name):
    """What another release calls a setting must still be found under its old name."""
    stated = json.loads((FOLDER / f"{name}.json").read_text())
    recipe = TrainingRecipe(**stated["provenance"]["recipe"])
    assert recipe == recipe_for(stated["network"]["architecture"], seed=recipe.seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp"])  # a LeNet takes minutes
def test_its_provenance_gives_it_again(assets, name):
    """To the last bit, where torch and processor are the same: else the numbers of its papers are hearsay."""
    stated = json.loads((FOLDER / f"{name}.json").read_text())
    made = stated["provenance"]
    here = resolve(device="cpu")
    trained_with = (made["numerics"]["device_model"], made["versions"]["torch"])
    if trained_with != (here.device_model, torch.__version__):
        pytest.skip("another processor or torch than the one that it was trained with")
    again = train(assets / "mnist", TrainingRecipe(**made["recipe"]), name=name, numerics=here)
    state = {key: value.contiguous() for key, value in again.classifier.network.state_dict().items()}
    assert hashlib.sha256(safetensors.torch.save(state)).hexdigest() == stated["network"]["sha256"]


@pytest.mark.parametrize("name", BUILTIN)
def test_the_page_tells_the_truth_about_it(name):
    network = classifiers.load(f"builtin:{name}")
    made = json.loads((FOLDER / f"{name}.json").read_text())["provenance"]
    weights = sum(parameter.numel() for parameter in network.network.parameters())  # type: ignore[misc]
    row = (
        f"| `builtin:{name}` | {made['recipe']['seed']} | {made['test']['accuracy']:.2%} "
        f"| {made['test']['calibration_error']:.4f} | {made['test']['near_certain']:.1%} | {weights:,} |"
    )
    assert row.replace("%", " %") in PAGE.read_text()


def test_together_they_are_small():
    """They travel in every wheel."""
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 8_000_000


def test_the_fingerprint_is_the_same_in_another_process():
    code = "import fooling.classifiers as c; print(c.load('builtin:lenet').fingerprint)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert found == classifiers.load("builtin:lenet").fingerprint


def test_loading_draws_no_global_random_numbers():
    """A run's bits must not depend on what was loaded before."""
    state = torch.get_rng_state()
    classifiers.load("builtin:lenet")
    assert torch.equal(torch.get_rng_state(), state)


def test_the_synthetic_batch_never_changes():
    """The expected confidences of every saved network are about exactly these pixels."""
    batch = synthetic(28, 1)
    assert batch.shape == (8, 28, 28, 1)
    assert len({image.tobytes() for image in batch}) == 8
    assert hashlib.sha256(batch.tobytes()).hexdigest().startswith("6cf44186442336a28162fc26")
    assert synthetic(5, 3).shape == (8, 5, 5, 3)


@pytest.fixture
def copied(tmp_path):
    """The files of builtin:lenet, to be spoilt."""
    for suffix in (".json", ".safetensors"):
        shutil.copy(FOLDER / f"lenet{suffix}", tmp_path)
    return tmp_path / "lenet.json"


def spoil(description, state, digest=True):
    """Other weights; `digest` keeps the spec's SHA-256 true."""
    weights = description.with_suffix(".safetensors")
    safetensors.torch.save_file(state, weights)
    data = json.loads(description.read_text())
    if digest:
        del data["network"]["sha256"]
    description.write_text(json.dumps(data))


def test_altered_weights_are_refused(copied):
    state = safetensors.torch.load_file(copied.with_suffix(".safetensors"))
    state["ip2.bias"][0] += 1e-3
    spoil(copied, state, digest=False)
    with pytest.raises(InvalidError, match=r"lenet.safetensors: expected SHA-256 .*: the file was altered"):
        classifiers.load(f"file:{copied}")


def test_misshapen_weights_are_refused(copied):
    state = safetensors.torch.load_file(copied.with_suffix(".safetensors"))
    spoil(copied, {**state, "ip1.weight": state["ip1.weight"][:, :700].contiguous()})
    with pytest.raises(InvalidError, match=r"'ip1.weight' of shape \(500, 800\), found \(500, 700\)"):
        classifiers.load(f"file:{copied}")


def test_weights_that_are_not_those_expected_fail_the_check(copied):
    """Silently unloaded weights are what users of the original tripped over most."""
    state = safetensors.torch.load_file(copied.with_suffix(".safetensors"))
    spoil(copied, {name: value + 0.05 for name, value in state.items()})
    report = check(classifiers.load(f"file:{copied}"))
    assert [finding.name for finding in report.failures] == ["expected"]
    with pytest.raises(InvalidError, match="lenet failed its check: expected the confidences kept with"):
        report.raise_for_failures()


@pytest.mark.parametrize(
    "spec, message",
    [
        ("builtin:lenot", "unknown model builtin:lenot: expected one of builtin:lenet, builtin:lenet-b, .*; did you mean lenet"),
        ("lenet", "unknown model 'lenet': expected one of builtin:lenet, builtin:lenet-b, .*did you mean builtin:lenet"),
        ("biultin:lenet", "did you mean builtin:lenet"),
        ("builtin:vit_mini", "did you mean vit-mini"),
        ("builtin:", "unknown model 'builtin:'"),
        ("", "unknown model ''"),
    ],
)  # fmt: skip
def test_an_unknown_model_lists_those_known(spec, message):
    with pytest.raises(InvalidError, match=message) as caught:
        classifiers.load(spec)
    assert "\n" not in str(caught.value)


def test_the_authors_checkpoint_loads_as_it_is(assets, tmp_path):
    """The paper's own network, with the names of its own layers (Nguyen 2015, released model)."""
    shutil.copy(assets / "weights" / "lenet_caffe.safetensors", tmp_path)
    (tmp_path / "caffe.toml").write_text(
        'name = "lenet-caffe"\nsize = 28\ncolour = "grey"\naccuracy = 0.9918\n'
        'labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]\n'
        "[preprocessing]\nscale = 0.99609375\n"
        '[network]\narchitecture = "lenet"\nweights = "lenet_caffe.safetensors"\n'
    )
    classifier = classifiers.load(f"file:{tmp_path / 'caffe.toml'}")
    found = measure(classifier, samples.read(assets / "mnist", classifier.spec))
    assert found.accuracy == pytest.approx(0.9918, abs=2e-4)
    assert found.near_certain == pytest.approx(0.66, abs=0.01)
