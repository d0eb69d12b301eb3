"""Detectors held against elites, and evolved against. A failure costs an audit its heart: a detector would pass because
nobody who knows it was there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fooling.classifiers import load
from fooling.classifiers.synthetic import synthetic
from fooling.errors import Interrupted, InvalidError
from fooling.studies.audit import opening
from fooling.studies.audit.budget import budget_of
from fooling.studies.audit.detection import measure
from fooling.studies.audit.detection.adaptive import attack, fooling_classes
from fooling.studies.audit.detection.guarded import BELOW, Guarded, accepted_confidence
from fooling.studies.audit.detectors.protocol import Fitted
from fooling.studies.audit.study import Request, study
from fooling.studies.audit.subject import Elites
from fooling.studies.protocol import Progress, Resources
from tests.fooling.studies.audit.subjects import TINY, tiny


def brightness(threshold: float) -> Guarded:
    """LeNet beside a detector that takes bright images for real ones."""
    fitted = Fitted(lambda given: given.pixels.mean(axis=(1, 2, 3)))
    return Guarded(load("builtin:lenet"), fitted, None, threshold, 10.0, "brightness")


def test_an_image_is_accepted_first_and_then_sure() -> None:
    guarded = brightness(100.0)
    pixels = np.broadcast_to(
        np.array([255, 100, 99, 80, 0], np.uint8)[:, None, None, None], (5, 28, 28, 1)
    ).copy()
    found, bare = guarded(pixels), guarded.classifier.classify(pixels)
    assert found[:2] == pytest.approx(0.5 + 0.5 * bare[:2], abs=1e-7)
    assert (found[:2] >= 0.5).all()
    assert (found[2:] == found[2:, :1]).all()  # the same in all classes
    assert found[2:, 0] == pytest.approx([0.5 / 1.1, 0.5 / 3.0, 0.5 / 11.0])
    assert BELOW < 0.5
    assert (guarded.as_classifier().classify(pixels) == found).all()
    assert (
        guarded.as_classifier().fingerprint != replace(guarded, threshold=101.0).as_classifier().fingerprint
    )


def test_a_search_that_knows_the_detector_passes_it(tmp_path: Path) -> None:
    """Random CPPNs are half as bright as this detector asks for: what passes was found because it was looked for."""
    budget = replace(TINY, population=60, adaptive_generations=20)
    with tiny(tmp_path / "audit", budget=budget) as subject:
        guarded = brightness(190.0)
        found = attack(subject, guarded)
        elites = Elites.of(found.runs[0])
        accepted = guarded(elites.pixels)[np.arange(len(elites)), elites.classes] >= accepted_confidence(0.5)
        assert (elites.pixels[accepted].mean(axis=(1, 2, 3)) >= 190).all()
        assert accepted.sum() >= 5
        assert found.waits.times.max() == found.runs[0].evaluations
        assert (found.fooled == fooling_classes(guarded, elites, 10)).all()
        assert (found.waits.happened == found.fooled).all()


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """An .npz of mosaics that LeNet names right by construction."""
    pixels = synthetic(28, 1, 120)
    classes = load("builtin:lenet").classify(pixels).argmax(axis=1)
    np.savez(tmp_path / "samples.npz", x=pixels, y=classes)
    return tmp_path / "samples.npz"


SMALL = replace(TINY, real=120, negatives=30, generations=3, adaptive_generations=3, climbs=25)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "budget_of", lambda depth: SMALL)


MODELS = """
import torch
from fooling.classifiers import Spec

def one():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    return network.eval(), Spec(name="one", size=28, colour="grey", labels=("genuine",), output="sigmoid")

def opaque():
    weights = torch.randn(784, 2, generator=torch.Generator().manual_seed(0)) / 8
    def answer(images):
        return torch.from_numpy((images.detach().flatten(1).numpy() @ weights.numpy())).softmax(1)
    return answer, Spec(name="opaque", size=28, colour="grey", labels=("yes", "no"), output="probabilities")
"""


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("model", ["one", "opaque"])
def test_what_can_not_be_measured_says_why(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure costs whoever audits a liveness detector, or a service: a traceback, or numbers that mean nothing."""
    (tmp_path / "audited_models.py").write_text(MODELS)
    monkeypatch.syspath_prepend(tmp_path)
    spec = f"python:audited_models:{model}"
    pixels = synthetic(28, 1, 60)
    classes = load(spec, trust=True).classify(pixels).argmax(axis=1)
    np.savez(tmp_path / "samples.npz", x=pixels, y=classes)
    asked: dict[str, Any] = {
        "model": spec,
        "samples": tmp_path / "samples.npz",
        "parts": ("effort", "detectors"),
    }
    result = study(Request(**asked), resources=Resources(trust=True))
    why = {row.name: row.why for row in result.detectors if row.verdict == "not measurable"}
    assert {"odin", "openmax", "temperature", "outlier-exposure"} <= set(why)
    assert all("needs" in text or "noise" in text for text in why.values())
    if model == "one":
        assert "a sigmoid of its own" in why["odin"]
        assert result.accuracy is None
        assert next(check for check in result.checks if check.id == "accuracy").verdict == "not measurable"
    else:
        assert why["energy"].startswith("needs logits: the classifier puts out probabilities")
        assert why["knn"].startswith("needs features: the network is no torch.nn.Module")
        assert result.accuracy == 1.0
        (ascent,) = [check for check in result.checks if check.id == "effort.gradient-ascent"]
        assert ascent.why == "needs gradients: no gradients reach the images"
    assert {check.id for check in result.checks if check.verdict == "fail"} <= {
        check.id for check in result.checks
    }


def test_a_classifier_that_is_not_as_good_as_its_spec_is_not_audited(tmp_path: Path) -> None:
    """A public table was made with a network at 41 % in place of 94 %: accuracy comes first."""
    pixels = synthetic(28, 1, 60)
    classes = (load("builtin:lenet").classify(pixels).argmax(axis=1) + 1) % 10
    np.savez(tmp_path / "wrong.npz", x=pixels, y=classes)
    result = study(Request(model="builtin:lenet", samples=tmp_path / "wrong.npz"))
    assert (result.accuracy, result.fooled, result.detectors) == (0.0, None, ())
    assert result.stopped is not None
    assert "the audit stops here" in result.stopped
    np.savez(tmp_path / "few.npz", x=np.zeros((30, 28, 28, 1), np.uint8), y=np.zeros(30, np.int64))
    with pytest.raises(InvalidError, match="at least 20 different labelled images, found 1"):
        study(Request(model="builtin:lenet", samples=tmp_path / "few.npz"))


FEW = ("msp", "maxlogit", "extra-class")
KILLED = """
import os, signal, sys
from pathlib import Path
from fooling.studies.audit import opening
from fooling.studies.audit.study import Request, study
from fooling.studies.audit.detection import measure
from tests.fooling.studies.audit.test_detection import FEW, SMALL, _some

opening.budget_of = lambda depth: SMALL
measure.DETECTORS = _some(*FEW)
def report(step):
    if step.text == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
study(Request(model="builtin:lenet", samples=Path(sys.argv[1]), out=Path(sys.argv[2]), parts=("effort", "detectors")), report=report)
"""


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    """A result without what a clock had a part in."""
    del document["made"]["date"]
    for effort in document["fooled"]["efforts"]:
        for key in [key for key in effort if key.startswith("seconds")]:
            del effort[key]
    return document


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_an_audit_goes_on_where_it_was_and_repeats(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in a run, stopped between two steps and in a run, it finds what another one found at once. A failure costs
    hours of a deep audit, or makes two reports of one classifier contradict each other."""
    monkeypatch.setattr(measure, "DETECTORS", _some(*FEW))
    asked: dict[str, Any] = {"model": "builtin:lenet", "samples": samples, "parts": ("effort", "detectors")}
    home = tmp_path / "interrupted"
    call = [sys.executable, "-c", KILLED, str(samples), str(home), "run lessons/0"]
    assert subprocess.run(call, check=False, cwd=Path(__file__).parents[4]).returncode == -signal.SIGKILL
    assert (home / "detectors" / "extra-class.json").exists() is False
    for text in ("run lessons/0", "run adaptive/extra-class-0"):
        stopping = threading.Event()

        def report(step: Progress, text: str = text, stopping: threading.Event = stopping) -> None:
            if step.text == text:
                stopping.set()

        with pytest.raises(Interrupted):
            study(Request(**asked, out=home), report=report, stopping=stopping)
    steps: list[str] = []
    found = study(Request(**asked, out=home), report=lambda step: steps.append(step.text))
    assert not {"detectors/msp", "detectors/maxlogit", "run cppn-0"} & set(steps)
    again = study(Request(**asked, out=tmp_path / "at once"))
    assert without_times(found.document()) == without_times(again.document())
    assert found.detectors[2].adaptive_success is not None
    assert json.dumps(found.document())
    for row in found.detectors:
        if row.adaptive_success is not None:
            assert row.static_success is not None
            assert row.adaptive_success >= row.static_success
    with pytest.raises(InvalidError, match="was begun with other inputs"):
        study(Request(**asked, out=home, seed=1))


@pytest.mark.slow
def test_on_digits_thresholds_hold_and_confidence_notices_nothing(
    assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LeNet and MNIST: a failure means that some number of every report is wrong."""
    budget = replace(
        budget_of("quick"),
        real=4000,
        negatives=200,
        runs=1,
        generations=60,
        adaptive_generations=10,
        climbs=25,
    )
    monkeypatch.setattr(opening, "budget_of", lambda depth: budget)
    monkeypatch.setattr(
        "fooling.studies.audit.detection.measure.DETECTORS", _some("msp", "energy", "knn", "mahalanobis")
    )
    result = study(
        Request(
            model="builtin:lenet", samples=assets / "mnist", ood=assets / "notmnist", parts=("detectors",)
        )
    )
    rows = {row.name: row for row in result.detectors}
    for row in rows.values():
        assert row.rejected_real == pytest.approx(0.05, abs=0.025)
        assert row.accuracy_kept is not None
        assert row.accuracy_kept > 0.92
        natural = next(kind for kind in row.against if kind.kind == "natural")
        assert natural.auroc > (0.95 if row.name == "knn" else 0.9)
        assert row.detected_at_5pct_false_alarms is not None
    assert rows["msp"].detected_at_5pct_false_alarms == 0.0
    assert rows["msp"].static_success == 1.0


def _some(*names: str) -> Any:
    from fooling.studies.audit.detectors.catalogue import DETECTORS

    return tuple(detector for detector in DETECTORS if detector.name in names)
