"""Modules as people have them: used before, in another precision, not yet sized, with more than one output."""

from __future__ import annotations

import threading
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from fooling.classifiers import ClassifierError, Numerics, Preprocessing, from_module
from fooling.classifiers.check import check
from fooling.errors import InvalidError

IMAGES = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(4))


class Casting(nn.Module):
    """A half network that casts its own input, as those do that were written for it."""

    def __init__(self, tiny: nn.Module) -> None:
        super().__init__()
        self.tiny = tiny.half()

    def forward(self, x: Tensor) -> Tensor:
        return self.tiny(x.half()).float()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_asked_in_float32(tiny, spec, dtype):
    """torch's own words, "Input type (float) and bias type (c10::Half)", say neither what to do nor that it works."""
    tiny.to(dtype)
    classifier = from_module(tiny, spec(), Numerics(batch=4))
    assert tiny.head.weight.dtype == dtype, "the user's own module was changed"
    assert check(classifier).failures == ()
    expected = tiny.float()(IMAGES).softmax(1)
    assert (classifier.confidences(IMAGES) - expected).abs().max() < 1e-6
    assert classifier.with_numerics(Numerics(batch=3)).fingerprint == classifier.fingerprint


def test_a_network_that_casts_its_own_input_is_left_as_it_is(tiny, spec):
    """Converted, it would meet its own half input with float32 weights and fail."""
    classifier = from_module(Casting(tiny), spec(), Numerics(batch=4))
    assert (classifier.confidences(IMAGES) - tiny(IMAGES.half()).float().softmax(1)).abs().max() < 1e-3
    assert classifier.network.tiny.head.weight.dtype == torch.float16


def test_a_spec_that_asks_for_half_gets_it(tiny, spec):
    steps = Preprocessing(dtype="float16")
    classifier = from_module(tiny.half(), spec(preprocessing=steps), Numerics(batch=4))
    assert classifier.network.head.weight.dtype == torch.float16
    assert classifier.confidences(IMAGES).dtype == torch.float32


@pytest.mark.parametrize(
    "norm", [nn.utils.weight_norm, nn.utils.spectral_norm, nn.utils.parametrizations.weight_norm]
)
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_a_network_that_was_used_can_be_copied(tiny, spec, norm):
    """weight_norm leaves a computed tensor on the layer, which deepcopy refuses."""
    tiny.head = norm(tiny.head)
    tiny(IMAGES)
    tiny.eval()
    classifier = from_module(tiny, spec(), Numerics(batch=4))
    expected = tiny(IMAGES).softmax(1).detach()
    assert (classifier.confidences(IMAGES) - expected).abs().max() < 1e-6
    with torch.no_grad():
        for parameter in tiny.parameters():
            parameter.zero_()
    assert (classifier.confidences(IMAGES) - expected).abs().max() < 1e-6, "the copy shares the weights"


def test_a_network_that_keeps_its_activations_can_be_copied(tiny, spec):
    tiny.last = tiny(IMAGES)
    assert from_module(tiny, spec(), Numerics(batch=4)).confidences(IMAGES).shape == (6, 5)


def test_what_can_not_be_copied_is_told_the_way_out(tiny, spec):
    tiny.lock = threading.Lock()
    with pytest.raises(
        InvalidError, match=r"tiny: expected a network that can be copied, .*from_module"
    ) as caught:
        from_module(tiny, spec())
    assert "\n" not in str(caught.value)
    assert from_module(lambda x: tiny(x), spec(), Numerics(batch=4)).confidences(IMAGES).shape == (6, 5)


@pytest.mark.parametrize("late", [nn.LazyLinear(5), nn.LazyBatchNorm1d(affine=False)])
def test_a_lazy_layer_is_told_to_make_its_first_pass(spec, late):
    network = nn.Sequential(nn.Flatten(), nn.Linear(432, 5), late).eval()
    with pytest.raises(InvalidError, match=r"tiny: .* found Lazy\w+ at '2', .*torch.zeros\(1, 3, 12, 12\)"):
        from_module(network, spec())
    with torch.no_grad():
        network(IMAGES)
    assert from_module(network.eval(), spec(), Numerics(batch=4)).confidences(IMAGES).shape == (6, 5)


@dataclass
class Result:
    loss: None
    logits: Tensor
    hidden: tuple


@pytest.mark.parametrize(
    "pack",
    [
        lambda y, x: (y, x),
        lambda y, x: [x, y],
        lambda y, x: {"features": x, "logits": y},
        lambda y, x: OrderedDict(loss=None, logits=y),
        lambda y, x: namedtuple("Out", "logits aux")(y, None),  # type: ignore[call-arg]
        lambda y, x: Result(None, y, (x, x)),
        lambda y, x: SimpleNamespace(logits=y, attentions=[x]),
        lambda y, x: ((x, y), {"mean": x.mean()}),
        lambda y, x: (y,),
    ],
)
def test_of_several_outputs_the_one_of_the_right_shape_is_taken(wrap, tiny, pack):
    """(logits, features) and {"logits": ...} are what most training code returns."""
    classifier = wrap(lambda x: pack(tiny(x), x))
    assert torch.equal(classifier.confidences(IMAGES), wrap().confidences(IMAGES))
    assert check(classifier).failures == ()


@pytest.mark.parametrize("key", ["aux", "main.logits", 0, 1, -1])
def test_of_several_that_fit_the_named_one_is_taken(wrap, tiny, key):
    network = lambda x: {"aux": -tiny(x), "main": (tiny(x), x)} if key == "aux" else {"aux": -tiny(x), "main": {"logits": tiny(x)}}  # noqa: E731 # fmt: skip
    sign = -1 if key in ("aux", 0) else 1
    found = wrap(network, output_key=key).logits(IMAGES)
    assert torch.equal(found, sign * wrap().logits(IMAGES))


def test_several_that_fit_are_refused_with_their_names(wrap, tiny):
    """Auxiliary heads have the shape of the main one: a guess would be wrong half of the time, silently."""
    network = lambda x: {"logits": tiny(x), "aux_logits": -tiny(x), "maps": x}  # noqa: E731
    expected = r"found dict of logits \(4, 5\), aux_logits \(4, 5\), maps \(4, 3, 12, 12\): say output_key = "
    with pytest.raises(ClassifierError, match=expected):
        wrap(network).confidences(IMAGES)
    with pytest.raises(ClassifierError, match=r"expected output_key = 'logit', found dict of logits"):
        wrap(network, output_key="logit").confidences(IMAGES)


def test_the_key_counts_for_the_fingerprint(wrap):
    """Another head is another classifier: a run must not be resumed with it."""
    assert wrap(output_key="aux").fingerprint != wrap().fingerprint
