"""A user's own training: from Python, and named on the command line."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fooling.classifiers import Spec
from fooling.errors import FoolingError, InvalidError
from fooling.sizes import Size, sides
from fooling.studies.retrain import Plan, retrain
from fooling.studies.retrain.data import Data
from fooling.studies.retrain.trainers import open_trainer
from tests.fooling.studies.retrain.small import DATA, LABELS, PLAN

PAGE = Path(__file__).resolve().parents[4] / "docs" / "retrain.md"


class Linear:
    """The smallest classifier there is, with a statistic of its own that has to be kept too."""

    def __init__(self, size: Size = 28) -> None:
        self.trainings = 0
        self.size = size

    def network(self, labels):
        inputs = math.prod(sides(self.size))
        network = nn.Sequential(
            nn.Flatten(), nn.Linear(inputs, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, len(labels))
        )
        return network, Spec(name="linear", size=self.size, colour="grey", labels=labels)

    def train(self, network, training, seed):
        self.trainings += 1
        optimiser = torch.optim.Adam(network.parameters(), 0.01)
        images = torch.from_numpy(training.images).permute(0, 3, 1, 2).float() / 255
        for _ in range(30):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images), torch.from_numpy(training.labels)).backward()
            optimiser.step()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder, trainer = tmp_path_factory.mktemp("trainer") / "out", Linear()
    return folder, trainer, retrain(DATA, folder, Plan(**PLAN), trainer=trainer)


def test_it_trains_every_network(done):
    folder, trainer, rounds = done
    assert trainer.trainings == 3
    assert rounds[0].accuracy.value > 0.9
    assert rounds[2].fooling_images == 18
    assert json.loads((folder / "plan.json").read_text())["networks"] == {"trainer": "Linear"}
    assert sorted(path.name for path in (folder / "round-00").iterdir()) == [
        "network.safetensors",
        "run",
        "runs",
    ]


def test_images_need_not_be_square(tmp_path):
    """A failure costs those whose cameras are not square the experiment."""
    training, test = (replace(part, images=part.images[:, :, 4:24]) for part in (DATA.training, DATA.test))
    data = Data(training, test, LABELS)
    rounds = retrain(data, tmp_path / "out", Plan(**{**PLAN, "rounds": 1}), trainer=Linear((28, 20)))
    assert rounds[0].elites.shape[1:] == (28, 20, 1)
    with pytest.raises(InvalidError, match=r"spec of size 28 x 20 with .* found size 20 x 28"):
        retrain(data, tmp_path / "other", Plan(**PLAN), trainer=Linear((20, 28)))


def test_it_is_not_asked_again(done, tmp_path):
    folder, trainer, rounds = done
    again = retrain(DATA, folder, Plan(**PLAN), trainer=trainer)
    assert trainer.trainings == 3
    assert [one.fingerprint for one in again] == [one.fingerprint for one in rounds]


def test_its_weights_repeat_and_nobody_elses_randomness_moves(done, tmp_path):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    plan = Plan(**{**PLAN, "rounds": 1})
    again = retrain(DATA, tmp_path / "out", plan, trainer=Linear())
    assert again[1].fingerprint == done[2][1].fingerprint
    assert torch.equal(torch.get_rng_state(), state)


def test_another_trainer_does_not_go_on(done):
    class Other(Linear):
        pass

    with pytest.raises(InvalidError, match=r"networks\.trainer was Linear, found"):
        retrain(DATA, done[0], Plan(**PLAN), trainer=Other())


class Broken(Linear):
    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault

    def network(self, labels):
        network, spec = super().network(labels)
        if self.fault == "labels":
            spec = spec.model_copy(update={"labels": labels[:-1]})
        return network if self.fault == "spec" else (network, spec)

    def train(self, network, training, seed):
        if self.fault == "error":
            raise RuntimeError("the coffee is cold\nand more")
        if self.fault == "nan":
            network[4].bias.data.fill_(float("nan"))


@pytest.mark.parametrize(
    "fault, kind, message",
    [
        ("spec", InvalidError, r"expected network\(labels\) to return \(module, .*found Sequential"),
        ("labels", InvalidError, "expected a spec of size 28 x 28 .* 3 labels .* and 2 labels"),
        ("error", FoolingError, "train failed: RuntimeError: the coffee is cold$"),
        ("nan", InvalidError, "failed its check: expected finite outputs"),
    ],
)
def test_a_broken_one_is_one_line(fault, kind, message, tmp_path):
    with pytest.raises(kind, match=message):
        retrain(DATA, tmp_path / "out", Plan(**PLAN), trainer=Broken(fault))


def test_what_is_no_trainer(tmp_path):
    with pytest.raises(InvalidError, match="expected a trainer, with methods network"):
        retrain(DATA, tmp_path / "out", Plan(**PLAN), trainer=object())  # type: ignore[arg-type]
    with pytest.raises(InvalidError, match="--trust"):
        open_trainer("json:loads", trust=False)


def test_the_one_in_the_docs_works_on_the_command_line(fooling, tmp_path):
    code = PAGE.read_text().split("```python\n# mine.py")[1].split("```")[0]
    (tmp_path / "mine.py").write_text(code)
    np.savez(
        tmp_path / "squares.npz",
        train_x=DATA.training.images, train_y=DATA.training.labels,
        test_x=DATA.test.images, test_y=DATA.test.labels, classes=np.array(LABELS),
    )  # fmt: skip
    flags = ["--rounds=1", "--first=6", "--per-run=6", "--runs=2", "--set=search.generations=3"]
    flags += ["--set=search.population=12", "--trainer=mine:Training", "--trust"]
    result = fooling("retrain", "squares.npz", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "training by mine:Training" in result.stderr
    assert len(result.stdout.splitlines()) > 5
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" not in result.stdout
