"""What networks put out, in the forms that people have: logits with a softmax or a sigmoid, one number for one class or
for two. A mistake here is a confidence that means something else, and nobody would notice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from fooling.classifiers import ClassifierError, Crop, Preprocessing, Spec
from fooling.classifiers.check import check
from fooling.classifiers.outputs import per_class
from fooling.classifiers.sources.ensemble import Ensemble, described

IMAGES = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(4))


def single(tiny):
    """One logit of each image, (n, 1)."""
    return lambda x: tiny(x)[:, :1]


@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_one_class_has_nothing_to_exclude(wrap, tiny, output):
    """A softmax over one number is 1: every image would be fooled with 100 %, and the check would pass."""
    with pytest.raises(ClassifierError, match=r'output = "sigmoid", .* output = "scores"') as caught:
        wrap(single(tiny), labels=["fake"], output=output)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("output", ["sigmoid", "scores"])
@pytest.mark.parametrize("form", ["column", "squeezed"])
@pytest.mark.parametrize("labels", [["fake"], ["real", "fake"]])
def test_one_number_is_one_class_or_two(wrap, tiny, output, form, labels):
    """The number speaks for the last label; the other has what it leaves."""

    def network(x: Tensor) -> Tensor:
        found = single(tiny)(x) if output == "sigmoid" else single(tiny)(x).sigmoid()
        return found.squeeze(1) if form == "squeezed" else found

    with torch.no_grad():
        fake = single(tiny)(IMAGES).sigmoid()
    expected = fake if len(labels) == 1 else torch.cat([1 - fake, fake], 1)
    classifier = wrap(network, labels=labels, output=output)
    assert (classifier.confidences(IMAGES) - expected).abs().max() < 1e-6
    assert check(classifier).failures == ()


def test_a_squeezed_single_image_is_still_one_number(wrap, tiny):
    """`.squeeze()` leaves no axis of a batch of one, which is what the last batch may be."""
    classifier = wrap(lambda x: single(tiny)(x).squeeze(), batch=1, labels=["real", "fake"], output="sigmoid")
    assert classifier.confidences(IMAGES).shape == (6, 2)


def test_two_columns_are_two_sigmoids(wrap, tiny):
    classifier = wrap(lambda x: tiny(x)[:, :2], labels=["cat", "dog"], output="sigmoid")
    assert (classifier.confidences(IMAGES) - tiny(IMAGES)[:, :2].sigmoid()).abs().max() < 1e-6


def test_one_number_for_two_classes_with_a_softmax_is_told_the_ways_out(wrap, tiny):
    with pytest.raises(ClassifierError, match=r'found \(4, 1\): .*output = "sigmoid".*output = "scores"'):
        wrap(single(tiny), labels=["real", "fake"]).confidences(IMAGES)


def test_neither_class_of_a_sure_logit_loses_its_digits(wrap):
    """1 - p is 0 from p = 0.99999997 on: the small one of two confidences would be lost, and its gradient with it."""
    classifier = wrap(lambda x: x.mean((1, 2, 3)) * 100, labels=["real", "fake"], output="sigmoid")
    images = torch.full((1, 3, 12, 12), 0.5, requires_grad=True)
    real = classifier.confidences(images)[:, 0]
    assert real.item() == pytest.approx(np.exp(-50.0), rel=1e-4)
    (gradient,) = torch.autograd.grad(real.log().sum(), images)
    assert gradient.sum().item() == pytest.approx(-100.0, rel=1e-4)


def test_ten_crops_have_their_sigmoids_averaged(wrap, tiny):
    crops = Preprocessing(crop=Crop(size=8, views="ten"))
    classifier = wrap(output="sigmoid", batch=20, preprocessing=crops)
    with torch.no_grad():
        expected = tiny(classifier.preprocess(IMAGES)).sigmoid().view(6, 10, 5).mean(1)
    assert (classifier.confidences(IMAGES) - expected).abs().max() < 1e-6


def test_logits_are_what_comes_before_the_sigmoid(wrap, tiny):
    assert (wrap(output="sigmoid").logits(IMAGES) - tiny(IMAGES)).abs().max() < 1e-4


def test_an_ensemble_of_sigmoids_puts_out_scores(wrap):
    """Taken for probabilities, the check would refuse them; taken for logits, they would be squashed twice."""
    members = [wrap(output="sigmoid"), wrap(output="logits")]
    assert described(members, "mean", set())["output"] == "scores"
    found = Ensemble(members, "mean")(IMAGES)
    assert torch.equal(found, torch.stack([member.confidences(IMAGES) for member in members]).mean(0))


def test_the_check_suggests_the_sigmoid(wrap, tiny):
    """A tagger that ends in logits was a dead end: "are they logits?" leads to a softmax."""
    kinds = {finding.name: finding for finding in check(wrap(output="scores")).findings}
    assert kinds["kind"].status == "failed"
    assert '"sigmoid"' in kinds["kind"].message


@pytest.mark.parametrize("output", ["logits", "sigmoid"])
def test_sigmoids_passed_off_as_logits_are_noticed(wrap, tiny, output):
    """A second sigmoid would hold every confidence between 0.5 and 0.73."""
    kinds = {
        finding.name: finding for finding in check(wrap(lambda x: tiny(x).sigmoid(), output=output)).findings
    }
    assert kinds["kind"].status == "warning"
    assert 'say output = "scores"' in kinds["kind"].message


@pytest.mark.parametrize(
    "labels, told",
    [
        (["Cat", "dog", "cat"], "0 'Cat' and 2 'cat'"),
        (["a  b", "x", "a b"], "0"),
        (["\ufb01sh", "fish", "x"], "1 'fish'"),
    ],
)
def test_classes_of_the_same_name_are_noticed(wrap, tiny, labels, told):
    """A misspelt list of labels has one name twice; transfer could not tell the classes apart."""
    found = check(wrap(lambda x: tiny(x)[:, :3], labels=labels))
    assert found.findings[0].status == "warning"
    assert found.findings[0].name == "labels"
    assert told in found.findings[0].message
    assert found.failures == ()


@pytest.mark.parametrize("shape", [(4,), (4, 2), (2, 4), (4, 1, 1), ()])
def test_other_shapes_are_refused(shape):
    spec = Spec(name="n", size=8, colour="rgb", labels=("a", "b", "c"), output="sigmoid")
    with pytest.raises(ValueError, match=r"expected output of shape \(4, 3\)"):
        per_class(torch.zeros(shape), spec, 4)


def test_a_network_may_end_in_a_convolution(wrap, tiny):
    """(n, classes, 1, 1), as SqueezeNet's ONNX files put out: nobody can append a layer to a file."""
    classifier = wrap(lambda x: tiny(x)[:, :, None, None])
    assert (classifier.confidences(IMAGES) - tiny(IMAGES).softmax(1)).abs().max() < 1e-6
    assert check(classifier).failures == ()


@pytest.mark.parametrize("wrong", [lambda y: y[:, :, None].repeat(1, 1, 2), lambda y: y[:, None]])
def test_a_map_of_classes_is_no_classification(wrap, tiny, wrong):
    """Confidences of places, or a wrong axis, would be taken for classes."""
    with pytest.raises(ClassifierError, match=r"expected output of shape"):
        wrap(lambda x: wrong(tiny(x))).confidences(IMAGES)
