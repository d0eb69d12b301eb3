"""Every way in which users' networks were seen to be broken has its finding; a good network has none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fooling import classifiers
from fooling.classifiers.check import check
from fooling.classifiers.samples import Samples
from fooling.errors import InvalidError


def statuses(classifier, samples=None):
    return {finding.name: finding.status for finding in check(classifier, samples).findings}


def message(classifier, name, samples=None):
    found = [finding.message for finding in check(classifier, samples).findings if finding.name == name]
    assert len(found) == 1
    assert "\n" not in found[0]
    return found[0]


def test_a_good_network_has_no_finding(wrap):
    found = statuses(wrap())
    assert set(found.values()) == {"ok"}
    assert list(found) == [
        "mode",
        "output",
        "finite",
        "kind",
        "varied",
        "decided",
        "repeatable",
        "alone",
        "gradient",
    ]
    check(wrap()).raise_for_failures()


@pytest.mark.parametrize("output", ["probabilities", "scores"])
def test_good_networks_of_the_other_kinds_have_none(wrap, tiny, output):
    end = (lambda x: x.softmax(1)) if output == "probabilities" else torch.sigmoid
    assert set(statuses(wrap(lambda x: end(tiny(x)), output=output)).values()) == {"ok"}


def test_softmax_passed_off_as_logits(wrap, tiny):
    """A second softmax would flatten every confidence to about 1 / K."""
    classifier = wrap(lambda x: tiny(x).softmax(1))
    assert 'say output = "probabilities"' in message(classifier, "kind")
    with pytest.raises(
        InvalidError, match="tiny failed its check: expected logits, found outputs that are prob"
    ):
        check(classifier).raise_for_failures()


@pytest.mark.parametrize("output", ["probabilities", "scores"])
def test_logits_passed_off_as_confidences(wrap, output):
    assert 'are they "logits"?' in message(wrap(output=output), "kind")


def test_probabilities_that_do_not_sum_to_one(wrap, tiny):
    classifier = wrap(lambda x: torch.sigmoid(tiny(x)), output="probabilities")
    assert 'are they "scores"?' in message(classifier, "kind")


@pytest.mark.parametrize(
    "value, name", [(0.0, "a black image"), (1.0, "a white image"), (None, "synthetic image 0")]
)
def test_nan_is_found_and_its_image_named(wrap, tiny, value, name):
    """Networks that normalise by the image's own standard deviation give NaN for flat images."""

    def network(x):
        sick = torch.ones(len(x), dtype=torch.bool) if value is None else (x == value).all((1, 2, 3))
        return torch.where(sick[:, None], torch.nan, tiny(x))

    assert (
        message(wrap(network), "finite")
        == f"expected finite outputs, found 5 NaN or infinite ones for {name}"
    )
    with pytest.raises(InvalidError, match=name):
        check(wrap(network)).raise_for_failures()


def test_training_mode(wrap, tiny):
    """Dropout left on makes every confidence a lottery."""
    assert "call .eval()" in message(wrap(nn.Sequential(tiny, nn.Dropout()).train()), "mode")
    tiny.add_module("late", nn.Dropout().train())
    assert statuses(wrap(tiny))["mode"] == "failed"


def test_random_outputs(wrap, tiny):
    """Noise that no flag shows: functional dropout, sampling."""
    classifier = wrap(lambda x: tiny(nn.functional.dropout(x, 0.5)))
    assert "is there dropout or noise in it?" in message(classifier, "repeatable")


def test_outputs_that_depend_on_the_batch(wrap, tiny):
    """An elite's confidence would change with its neighbours."""
    classifier = wrap(lambda x: tiny((x - x.mean(0)) / (x.std(0, correction=0) + 0.1)))
    assert "batch normalisation in training mode?" in message(classifier, "alone")


def noisy(tiny, rows):
    """The tiny network with noise from a fixed seed: `rows` says for how many rows it is drawn."""

    def network(x):
        noise = torch.rand((rows(x), *x.shape[1:]), generator=torch.Generator().manual_seed(3))
        return tiny(x + 0.02 * noise)

    return network


@pytest.mark.parametrize("batch", [4, 50])
@pytest.mark.parametrize(
    "network",
    [
        lambda tiny: noisy(tiny, len),
        lambda tiny: (
            lambda x: tiny(x) + 0.01 * torch.arange(len(x))[:, None] * torch.tensor([1, -1, 0, 0, 0])
        ),
        lambda tiny: lambda x: tiny(torch.cat([x[:1], x[1:] * 0.98])),
        lambda tiny: lambda x: tiny(x + 0.01 * x.roll(1, 0)),
        lambda tiny: lambda x: tiny(x - 0.02 * x.cumsum(0) / torch.arange(1, len(x) + 1).view(-1, 1, 1, 1)),
    ],
    ids=["noise", "a ramp", "another first row", "the row before", "the rows so far"],
)
def test_outputs_that_depend_on_the_row(wrap, tiny, network, batch):
    """Always the same for the same batch, so nothing else shows it. A failure costs every claim of a run: an elite
    classified again, in another row, has another confidence."""
    found = message(wrap(network(tiny), batch=batch), "alone")
    assert found.startswith("expected an image's outputs to depend neither on its batch nor on its row there")
    assert statuses(wrap(network(tiny), batch=batch))["repeatable"] == "ok"


def test_the_same_noise_in_every_row_is_part_of_the_network(wrap, tiny):
    """And last bits that depend on the row, as small matrix products have them, are no noise."""
    assert statuses(wrap(noisy(tiny, lambda x: 1)))["alone"] == "ok"
    assert statuses(wrap(lambda x: tiny(x) * (1 + 1e-6 * torch.arange(len(x))[:, None])))["alone"] == "ok"


def test_constant_outputs(wrap):
    classifier = wrap(lambda x: torch.arange(5.0).expand(len(x), 5) + 0 * x.mean())
    assert "are the weights loaded?" in message(classifier, "varied")


def test_weights_that_were_silently_not_loaded(wrap, spec):
    """0.10 for every label: what users of the paper's code asked about most."""
    generator = torch.Generator().manual_seed(0)
    network = classifiers.architectures.find("lenet").empty(10).to_empty(device="cpu").eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.02, generator=generator)
    classifier = wrap(network, size=28, colour="grey", labels=tuple("0123456789"))
    assert statuses(classifier)["decided"] == "warning"
    assert "are the weights loaded?" in message(classifier, "decided")
    check(classifier).raise_for_failures()


def test_zero_and_missing_gradients_are_told_apart(wrap, tiny):
    """Evolution needs none; gradient ascent would stand still."""
    rounded = wrap(lambda x: tiny(torch.round(x * 9) / 9))
    assert statuses(rounded)["gradient"] == "warning"
    assert "will not move" in message(rounded, "gradient")
    assert message(wrap(lambda x: tiny(x).detach()), "gradient") == (
        "not differentiable: gradient ascent unavailable"
    )


@pytest.mark.parametrize(
    "network, found",
    [
        (lambda x: x.mean((2, 3)), "expected output of shape (10, 5) (rows, labels), found (10, 3)"),
        (lambda x: x.nonsense, "AttributeError"),
    ],
)
def test_what_does_not_run_ends_the_check(wrap, network, found):
    report = check(wrap(network, batch=50))
    assert [finding.name for finding in report.findings] == ["mode", "output"]
    assert found in report.findings[-1].message


def test_raising_on_a_batch_of_one(wrap, tiny):
    """A stray squeeze() drops the batch dimension of a single image: seen only when the last chunk is one."""
    assert "found (5,)" in message(wrap(lambda x: tiny(x).squeeze()), "output")

    def network(x):
        if len(x) == 1:
            raise ValueError("expected more than 1 value per channel")
        return tiny(x)

    assert "ValueError: expected more than 1 value" in message(wrap(network), "output")


def test_the_line_says_how_much_else_is_wrong(wrap, tiny):
    report = check(wrap(nn.Sequential(nn.Dropout(), tiny).train()))
    assert [finding.name for finding in report.failures][:2] == ["mode", "repeatable"]
    more = len(report.failures) - 1
    with pytest.raises(InvalidError, match=rf"training mode.* \(and {more} more: fooling models check\)"):
        report.raise_for_failures()


def labelled(classifier, count, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 12, 12, 3), dtype=np.uint8)
    return pixels, classifier.classify(pixels).argmax(1).astype(np.int64)


def test_accuracy_on_samples_is_compared_with_the_expected_one(wrap):
    classifier = wrap(accuracy=0.9, labels=tuple("abcde"))
    pixels, right = labelled(classifier, 100)
    assert message(classifier, "accuracy", Samples(pixels, right)).startswith("top-1 100.00%")
    wrong = np.where(np.arange(100) < 40, (right + 1) % 5, right)
    found = message(classifier, "accuracy", Samples(pixels, wrong))
    assert found.startswith("expected an accuracy of 90.00%, found top-1 60.00%")
    assert statuses(classifier, Samples(pixels, wrong))["accuracy"] == "failed"


def test_accuracy_at_chance_fails_whatever_was_expected(wrap):
    """Labels in another order, or the wrong preprocessing."""
    classifier = wrap()
    pixels, right = labelled(classifier, 60)
    shuffled = Samples(pixels, (right + 1) % 5)
    assert statuses(classifier, shuffled)["accuracy"] == "failed"
    assert "not above chance" in message(classifier, "accuracy", shuffled)
    few = Samples(pixels[:4], (right[:4] + 1) % 5)
    assert statuses(classifier, few)["accuracy"] == "warning"


def test_a_check_is_cheap(wrap, tiny):
    """It runs before every run: a handful of forward passes of the probe images' size."""
    rows = []

    def network(x):
        rows.append(len(x))
        return tiny(x)

    check(wrap(network, batch=50))
    assert sum(rows) <= 70
