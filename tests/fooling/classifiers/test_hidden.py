"""Weights that are neither parameters nor buffers are seen; ordinary networks have no hidden state."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fooling import classifiers
from fooling.classifiers.answers import sampled
from fooling.classifiers.hidden import hidden_state
from fooling.errors import InvalidError
from fooling.runs.hosting import expect_same
from fooling.store.reading import open_run
from fooling.store.spec import ClassifierRecord

SCALE = 1.0  # a global that a network reads


class Plain(nn.Module):
    """A user's module, with whatever attributes."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)
        vars(self).update(attributes)


class Holder:
    """An object of the user's that is no module."""

    def __init__(self, weights: Any) -> None:
        self.weights = weights

    def __call__(self, x: Tensor) -> Tensor:
        return x * self.weights


def quantised(value: float) -> nn.Module:
    """Statically quantised: its weights are packed."""
    net = nn.Sequential(
        torch.ao.quantization.QuantStub(), nn.Linear(4, 2), torch.ao.quantization.DeQuantStub()
    )
    with torch.no_grad():
        net[1].weight.copy_(torch.arange(8.0).view(2, 4) * value)  # type: ignore[operator, union-attr]
        net[1].bias.fill_(0.0)  # type: ignore[operator, union-attr]
    net.eval().qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")  # type: ignore[assignment]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ready = torch.ao.quantization.prepare(net)
        ready(torch.ones(2, 4))
        return torch.ao.quantization.convert(ready)


def lstm(value: float) -> nn.Module:
    """Dynamically quantised: packed in an object that only torch can read."""
    net = nn.LSTM(4, 3)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.linspace(-value, value, parameter.numel()).view(parameter.shape))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(nn.Sequential(net), {nn.LSTM})


def closed_over(value: float) -> Callable[[Tensor], Tensor]:
    weights = torch.full((2,), value)
    return lambda x: x * weights


def of_a_module(value: float) -> Callable[[Tensor], Tensor]:
    inner = nn.Linear(4, 2)
    with torch.no_grad():
        inner.weight.fill_(value)
        inner.bias.fill_(0.0)
    return lambda x: (lambda: inner(x))()


def by_default(value: float) -> Callable[[Tensor], Tensor]:
    def network(x: Tensor, scale: float = value) -> Tensor:
        return x * scale

    return network


def by_a_global(value: float) -> Callable[[Tensor], Tensor]:
    names = {"SCALE": value}
    exec("def network(x): return x * SCALE", names)
    return names["network"]  # type: ignore[return-value]


def held(**attributes: Any) -> nn.Module:
    """With the same parameters each time."""
    torch.manual_seed(0)
    return Plain(**attributes)


PLACES: dict[str, Callable[[float], Any]] = {
    "a number": lambda v: held(k=v),
    "a tensor": lambda v: held(k=torch.full((3,), v)),
    "an array": lambda v: held(k=np.full(3, v)),
    "a list of tensors": lambda v: held(k=[torch.zeros(1), torch.full((3,), v)]),
    "a dictionary": lambda v: held(k={"a": {"b": (1, v)}}),
    "a list of modules": lambda v: held(k=[of_a_module(v).__closure__[0].cell_contents]),  # type: ignore[attr-defined]
    "an object": lambda v: held(k=Holder(np.full(3, v))),
    "a function": lambda v: held(k=closed_over(v)),
    "a module within": lambda v: nn.Sequential(held(k=v), nn.ReLU()),
    "a quantised tensor": lambda v: held(k=torch.quantize_per_tensor(torch.tensor([v]), v, 0, torch.qint8)),
    "packed": quantised,
    "packed in an object": lstm,
    "a closure": closed_over,
    "a module in a closure": of_a_module,
    "a default": by_default,
    "a global": by_a_global,
    "a partial": lambda v: functools.partial(torch.mul, v),
    "a method": lambda v: Holder(v).__call__,
    "a callable object": Holder,
}


@pytest.mark.parametrize("place", PLACES)
def test_weights_are_seen_wherever_they_are_held(place):
    """And seen alike each time. A failure costs a run resumed with other weights, unnoticed but for what they
    answer; or one that can't be resumed with its own."""
    make = PLACES[place]
    one, again, other = hidden_state(make(0.5)), hidden_state(make(0.5)), hidden_state(make(0.75))
    assert len(one) == 64
    assert one == again
    assert one != other


def test_ordinary_networks_have_none(tiny):
    """Their fingerprints are what they were before there was hidden state: old runs go on."""
    ordinary = [
        tiny,
        nn.MultiheadAttention(4, 2),
        nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.Dropout(0.3)),
    ]
    ordinary += [classifiers.load(name).network for name in classifiers.known()]
    tied = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})
    tied["b"].weight = tied["a"].weight
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
    counting = held(calls=3, most=[1, 2], on=True)  # whole numbers count, limit and choose
    for network in (
        counting,
        *ordinary,
        tied,
        normed,
        nn.DataParallel(tiny),
        torch.relu,
        nn.functional.relu,
        lambda x: x,
    ):
        assert hidden_state(network) == ""
    assert classifiers.load("builtin:lenet").fingerprint == FINGERPRINT


# Of the commit before hidden state was looked for.
FINGERPRINT = "5679f8f68086023b81cd59f7d038dbfb8ba68d093d97bc0051959f48926ee99a"


def test_what_has_no_value_is_passed_over():
    """Strings, locks, files, circles, tensors without memory: none of them ends a run before it begins."""
    network = held(name="x", lock=threading.Lock(), kind=torch.float32, nothing=None, k=1.5)
    network.circle = [network, {}]  # type: ignore[assignment]
    network.circle[1]["back"] = network.circle  # type: ignore[assignment]
    network.sparse = torch.eye(3).to_sparse()  # type: ignore[assignment]
    network.nowhere = torch.empty(3, device="meta")  # type: ignore[assignment]
    network.objects = np.array([object()])  # type: ignore[assignment]
    assert len(hidden_state(network)) == 64


def test_being_asked_changes_no_fingerprint(wrap, tiny):
    """A network that counts its passes, or keeps its last input, is the same network afterwards. A failure costs
    runs that can't be resumed."""

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls, self.last = tiny, 0, torch.zeros(1)

        def forward(self, x: Tensor) -> Tensor:
            self.calls, self.last = self.calls + 1, x
            return self.inner(x)

    classifier = wrap(Counting().eval())
    before = classifier.fingerprint
    classifier.classify(np.zeros((1, 12, 12, 3), np.uint8))
    assert classifier.halved().fingerprint == before
    assert classifier.with_input(16).fingerprint == wrap(Counting().eval()).with_input(16).fingerprint


def test_a_run_from_before_is_known_by_its_former_fingerprint(wrap, tiny, tmp_path, small_run):
    """Its manifest has no answers. A failure costs every unfinished run against a network with an attribute."""

    def scaled(value: float) -> Callable[[Tensor], Tensor]:
        return lambda x: tiny(x) * value

    classifier = wrap(scaled(1.5))
    record = ClassifierRecord(spec=classifier.spec, fingerprint=classifier.former_fingerprint)
    spec = open_run(small_run[0]).spec.model_copy(update={"classifier": record})
    assert classifier.former_fingerprint != classifier.fingerprint
    expect_same(classifier, spec, tmp_path)
    answered = record.model_copy(update={"answers": tuple(sampled(classifier.answers))})
    with pytest.raises(InvalidError, match=r"its fingerprint was [0-9a-f]{12}, now"):
        expect_same(classifier, spec.model_copy(update={"classifier": answered}), tmp_path)
