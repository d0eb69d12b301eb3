"""Weights as trainings leave them: nested, under prefixes, beside optimizers and averages, in the older form, tied.
Whoever has such a file and is refused gives up; whoever gets the wrong network of two is deceived."""

from __future__ import annotations

import argparse
import datetime
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from fooling import classifiers
from fooling.classifiers import checkpoints, weights_files
from fooling.errors import InvalidError

HEAD = 'name = "tiny"\nsize = 12\ncolour = "rgb"\nlabels = ["a", "b", "c", "d", "e"]\n[network]\n'


class Options:
    """Settings of somebody's training, which we must never import."""

    def __init__(self) -> None:
        self.rate = 0.1


def prefixed(state: dict, prefix: str) -> dict:
    return {prefix + name: value for name, value in state.items()}


def opened(path: Path, network: nn.Module, key: str | None = None) -> tuple[dict, tuple[str, ...]]:
    state = weights_files.read(path)
    return checkpoints.network_in(state, network.state_dict(), path.name, key)


@pytest.fixture
def state(tiny) -> dict:
    return dict(tiny.state_dict())


def optimizer(network: nn.Module) -> dict:
    """A state with tensors of its own, and counters as keys."""
    made = torch.optim.AdamW(network.parameters())
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    made.step()
    return made.state_dict()


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
@pytest.mark.parametrize(
    "nested, said",
    [
        (lambda s: s, ""),
        (lambda s: OrderedDict(s), ""),
        (lambda s: {"state_dict": s, "epoch": 3}, "under 'state_dict'"),
        (lambda s: {"params": s, "iter": 3}, "under 'params'"),
        (lambda s: {"weights": {"net": {"inner": s}}}, "under 'weights.net.inner'"),
        (lambda s: prefixed(s, "module."), "'module.' left off"),
        (lambda s: prefixed(s, "_orig_mod.module."), "'_orig_mod.' and 'module.' left off"),
        (lambda s: {"model_state_dict": prefixed(s, "module.")}, "under 'model_state_dict', 'module.' left off"),
        (lambda s: {"state_dict": prefixed(s, "model.")}, "under 'state_dict.model'"),
        (lambda s: {n.replace("conv.", "conv.module."): v for n, v in s.items()}, "'module.' left off"),
        (
            lambda s: {"state_dict": {**prefixed(s, "net."), "loss.weight": torch.ones(5)}},
            "under 'state_dict.net', 1 other tensors left out, like 'state_dict.loss.weight'",
        ),
        (lambda s: {"generator": torch.zeros(3), "discriminator": s}, "under 'discriminator', 1 other"),
    ],
)  # fmt: skip
def test_the_network_is_found_and_where_it_was_is_said(tmp_path, tiny, state, nested, said, old):
    path = tmp_path / "model_best.pth.tar"
    torch.save(nested(state), path, _use_new_zipfile_serialization=not old)
    found, notes = opened(path, tiny)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)
    assert (said in notes[0]) if said else not notes


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
def test_what_a_training_keeps_beside_is_left_out(tmp_path, tiny, state, old):
    """Arguments, scores, optimizers and objects of foreign classes: none is imported, none is in the way."""
    beside = {
        "optimizer": optimizer(tiny),
        "args": argparse.Namespace(lr=0.1, out=Path("/runs"), options=Options()),
        "best": np.float64(0.93),
        "history": np.arange(3.0),
        "when": datetime.datetime(2026, 1, 2),
        "counts": defaultdict(list, {"a": [1]}),
        "config": Options(),
        "epoch": 3,
    }
    torch.save({**beside, "model": state}, tmp_path / "last", _use_new_zipfile_serialization=not old)
    found, notes = opened(tmp_path / "last", tiny)
    assert found.keys() == state.keys()
    assert notes == ("last: 4 tensors taken under 'model'",)


def test_of_a_network_and_its_moving_average_the_average_is_taken_and_said(tmp_path, tiny, state):
    averaged = {name: value + 1 for name, value in state.items()}
    for name in ("model_ema", "ema", "state_dict_ema"):
        torch.save({"model": state, name: averaged}, tmp_path / "w.bin")
        found, notes = opened(tmp_path / "w.bin", tiny)
        assert torch.equal(found["head.bias"], averaged["head.bias"])
        assert notes == (f"w.bin: 4 tensors taken under {name!r}, 4 other tensors left out, like "
                         "'model.conv.weight', not those of key = 'model'",)  # fmt: skip
        found, _ = opened(tmp_path / "w.bin", tiny, "model")
        assert torch.equal(found["head.bias"], state["head.bias"])


def test_of_two_networks_the_user_says_which(tmp_path, tiny, state):
    torch.save({"student": state, "teacher": prefixed(state, "module.")}, tmp_path / "w.ckpt")
    with pytest.raises(
        InvalidError, match="found 2: say which is meant by key = 'student' or key = 'teacher'"
    ):
        opened(tmp_path / "w.ckpt", tiny)
    for key in ("teacher", "teacher.module"):
        assert opened(tmp_path / "w.ckpt", tiny, key)[0].keys() == state.keys()
    with pytest.raises(
        InvalidError, match="expected weights under key = 'tutor', found 'student', 'teacher'"
    ):
        opened(tmp_path / "w.ckpt", tiny, "tutor")


def test_one_network_under_two_names_is_one(tmp_path, tiny, state):
    torch.save({"model": state, "state_dict": state}, tmp_path / "w.pth")
    assert opened(tmp_path / "w.pth", tiny)[0].keys() == state.keys()


def test_a_file_names_its_key_and_the_note_reaches_the_classifier(tmp_path, state):
    (tmp_path / "arch.py").write_text(
        "from torch import nn\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 5)\n"
        "    def forward(self, x):\n        return self.head(self.conv(x).relu().mean((2, 3)))\n"
    )
    torch.save({"student": state, "teacher": state | {"head.bias": torch.ones(5)}}, tmp_path / "w")
    text = f'{HEAD}architecture = "arch:Net"\nweights = "w"\nkey = "teacher"\n'
    (tmp_path / "t.toml").write_text(text)
    ours = classifiers.load(f"file:{tmp_path / 't.toml'}", trust=True)
    assert torch.equal(ours.network.head.bias.detach(), torch.ones(5))
    assert "4 tensors taken under 'teacher'" in ours.notes[0]
    assert ours.with_numerics(classifiers.Numerics(threads=2)).notes == ours.notes


def test_names_that_differ_are_shown_as_they_stand_in_the_file(tmp_path, tiny):
    torch.save({"stem.weight": torch.zeros(3), "body.bias": torch.zeros(3)}, tmp_path / "w.pth")
    found, _ = opened(tmp_path / "w.pth", tiny)
    with pytest.raises(
        InvalidError,
        match=r"expected 4 tensors: 'conv.weight', .*, found 2 tensors: 'stem.weight', 'body.bias'",
    ):
        weights_files.fit(tiny, found, "w.pth")


class Tied(nn.Module):
    """Two layers that share their weights, as encoders and decoders do."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 2)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.head(self.second(self.first(x)))


@pytest.mark.parametrize("metadata", [True, False])
def test_a_tensor_under_two_names_may_be_kept_once(tmp_path, metadata):
    """safetensors keeps it once, with the other name in the metadata; others keep it once and say nothing."""
    network, other = Tied(), Tied()
    if metadata:
        safetensors.torch.save_model(network, str(tmp_path / "w"))
    else:
        state = dict(network.state_dict())
        del state["second.weight"]
        safetensors.torch.save_file(state, tmp_path / "w")
    x = torch.rand(3, 6)
    fitted = weights_files.fit(other, opened(tmp_path / "w", other)[0], "w")
    assert torch.equal(fitted(x), network(x))


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
@pytest.mark.parametrize("wrapped", [lambda net: net, lambda net: {"epoch": 3, "model": net}])
def test_a_whole_pickled_network_is_named_with_the_way_out(tmp_path, wrapped, old):
    torch.save(wrapped(Tied()), tmp_path / "net.pth", _use_new_zipfile_serialization=not old)
    with pytest.raises(
        InvalidError,
        match=r"net.pth: expected a state dict, found a whole pickled network \(of class \S+Tied\), .*: save its "
        r"weights alone, torch.save\(network.state_dict\(\), FILE\), or .* python:MODULE:FUNCTION with --trust$",
    ) as caught:
        weights_files.read(tmp_path / "net.pth")
    assert "\n" not in str(caught.value)


class Call:
    """Unpickling it calls a function."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
@pytest.mark.parametrize("function", [print, exec, argparse.ArgumentParser, Options, torch.load])
def test_what_would_have_to_be_called_is_refused(tmp_path, state, capsys, function, old):
    """Beside complete weights too: a file that wants to call something is no file of weights."""
    arguments = ("print(1)",) if function is not Options else ()
    torch.save(
        {**state, "more": Call(function, *arguments)}, tmp_path / "w", _use_new_zipfile_serialization=not old
    )
    with pytest.raises(InvalidError, match="refused, since reading it could run code") as caught:
        weights_files.read(tmp_path / "w")
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


def test_an_old_file_that_claims_more_than_it_holds_takes_no_memory(tmp_path):
    """The claim is a number in its pickle: 800 GB for a file of a kilobyte, and 4 GB that could be had."""
    import resource

    torch.save({"weight": torch.zeros(70_000)}, tmp_path / "w", _use_new_zipfile_serialization=False)
    data = (tmp_path / "w").read_bytes()
    small = b"J" + (70_000).to_bytes(4, "little")
    assert small in data
    for claim in (b"\x8a\x06" + (2 * 10**11).to_bytes(6, "little"), b"J" + (10**9).to_bytes(4, "little")):
        (tmp_path / "w").write_bytes(data.replace(small, claim))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(
            InvalidError, match=r"w: expected a file written by torch.save before torch 1.6, complete"
        ):
            weights_files.read(tmp_path / "w")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


def test_deep_and_endless_dictionaries_are_read_once(tmp_path):
    endless: dict = {"weight": torch.zeros(1)}
    endless["again"] = endless
    deep: dict = {"last": torch.zeros(1)}
    for _ in range(300):
        deep = {"d": deep, "same": deep}
    torch.save({"a": endless, "b": deep}, tmp_path / "w")
    assert len(weights_files.read(tmp_path / "w")) == 2


def test_weights_of_other_classes_are_told_by_their_number(tmp_path, tiny, state):
    """A shape that does not fit says nothing to who forgot labels=FILE."""
    other = state | {"head.weight": torch.zeros(7, 8), "head.bias": torch.zeros(7)}
    for labelled, advice in ((False, "say labels=FILE"), (True, "the file of labels has 5")):
        with pytest.raises(
            InvalidError, match=rf"expected weights of 5 classes, found 7 \('head.weight'\): {advice}"
        ):
            checkpoints.compare_classes(other, tiny.state_dict(), 5, "w.pth", labelled)
    checkpoints.compare_classes(state, tiny.state_dict(), 5, "w.pth", False)
