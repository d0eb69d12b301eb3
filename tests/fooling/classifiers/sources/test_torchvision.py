"""torchvision's classifiers: their transforms, labels and weights, from a file; and why something is refused."""

from __future__ import annotations

import re
import urllib.error
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from fooling import classifiers
from fooling.classifiers import Numerics, samples
from fooling.classifiers.check import check
from fooling.errors import InvalidError, NotFoundError
from tests.fooling.classifiers.sources.small import randomised

NUMERICS = Numerics(batch=10)


@pytest.fixture
def net(torchvision_weights) -> str:
    name, file, _ = torchvision_weights
    return f"torchvision:{name}?weights={file}"


def test_spec_is_what_torchvision_says(torchvision, net):
    spec = classifiers.load(net).spec
    weights = torchvision.models.ShuffleNet_V2_X0_5_Weights.DEFAULT
    assert spec.labels == tuple(weights.meta["categories"])
    assert (spec.size, spec.output, spec.preprocessing.resize, spec.preprocessing.crop) == (
        224,
        "logits",
        None,
        None,
    )


def test_whole_view_is_torchvisions_pipeline(torchvision, torchvision_weights, net, photos):
    """A wrong resize, crop or mean loses accuracy that nothing else would show."""
    transforms = torchvision.models.ShuffleNet_V2_X0_5_Weights.DEFAULT.transforms()
    network = torchvision_weights[2]
    whole = classifiers.load(net + "&view=whole", numerics=NUMERICS)
    assert whole.spec.size == 256
    with torch.no_grad():
        expected = network(transforms(photos))
    assert (whole.outputs(photos) - expected).abs().max() < 1e-5 * expected.abs().max()
    cut = classifiers.load(net, numerics=NUMERICS)
    assert (cut.outputs(photos[:, :, 16:240, 16:240]) - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.parametrize(
    "name, resized, side, kind",
    [("efficientnet_b0", 256, 224, "bicubic"), ("resnet50", 232, 224, "bilinear")],
)
def test_inputs_are_torchvisions(torchvision, photos, name, resized, side, kind, tmp_path):
    """With a resize that resizes, to 1e-5."""
    from fooling.classifiers.preprocessing import Preprocess

    network = torchvision.models.get_model(name, weights=None)
    torch.save(network.state_dict(), tmp_path / "net.pth")
    spec = classifiers.load(f"torchvision:{name}?weights={tmp_path / 'net.pth'}&view=whole").spec
    assert (spec.size, spec.input_size, spec.preprocessing.resize.filter) == (resized, side, kind)
    square = (
        photos
        if resized == 256
        else nn.functional.interpolate(photos, resized, mode="bilinear", antialias=True)
    )
    transforms = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    assert (Preprocess(spec)(square) - transforms(square)).abs().max() < 1e-5
    larger = Preprocess(spec.model_copy(update={"size": 256}))(photos)
    assert (larger - transforms(photos).clamp(larger.min(), larger.max())).abs().max() < 1e-5


def test_the_same_weights_in_another_form_are_the_same_network(torchvision_weights, net, tmp_path):
    name, _, network = torchvision_weights
    safetensors.torch.save_file(network.state_dict(), tmp_path / "net.safetensors")
    other = classifiers.load(f"torchvision:{name}@IMAGENET1K_V1?weights={tmp_path / 'net.safetensors'}")
    assert other.fingerprint == classifiers.load(net).fingerprint
    changed = {**network.state_dict(), "fc.bias": torch.zeros(1000)}
    torch.save(changed, tmp_path / "other.pth")
    assert (
        classifiers.load(f"torchvision:{name}?weights={tmp_path / 'other.pth'}").fingerprint
        != other.fingerprint
    )


def test_weights_and_labels_of_ones_own(torchvision, tmp_path):
    """A network that was trained on other classes keeps torchvision's preprocessing."""
    network = torchvision.models.shufflenet_v2_x0_5(num_classes=3).eval()
    torch.save(network.state_dict(), tmp_path / "net.pth")
    (tmp_path / "labels.txt").write_text("cat\ndog\nship\n")
    spec = f"torchvision:shufflenet_v2_x0_5?weights={tmp_path / 'net.pth'}"
    assert classifiers.load(f"{spec}&labels={tmp_path / 'labels.txt'}").labels == ("cat", "dog", "ship")
    with pytest.raises(
        InvalidError, match=r"expected weights of 1000 classes, found 3 \('fc.weight'\): say labels=FILE"
    ):
        classifiers.load(spec)


@pytest.mark.parametrize(
    "name",
    [
        "mnasnet0_5",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("densenet121", "googlenet", "inception_v3", "vit_b_32")
        ),
    ],
)
def test_networks_that_need_care_are_torchvisions(torchvision, monkeypatch, tmp_path, name):
    """Auxiliary heads, inputs that are normalised anew, old names of weights, versions of a layout: each is
    what torchvision builds when it is given the same weights."""
    entry = torchvision.models.get_model_weights(name).DEFAULT
    plain = {"aux_logits": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    state = randomised(torchvision.models.get_model(name, weights=None, **plain)).state_dict()
    if name == "densenet121":
        for key in [key for key in state if "denselayer" in key or "num_batches" in key]:
            value = state.pop(key)
            if "num_batches" not in key:
                state[re.sub(r"(norm|conv)(\d)", r"\1.\2", key)] = value
        state = dict(state)  # which knows no versions
    torch.save(dict(state), tmp_path / "net.pth")
    monkeypatch.setattr(type(entry), "get_state_dict", lambda *_, **__: state)
    theirs = torchvision.models.get_model(name, weights=entry).eval()
    ours = classifiers.load(f"torchvision:{name}?weights={tmp_path / 'net.pth'}", numerics=Numerics(batch=2))
    images = torch.rand(2, 3, *ours.spec.image_shape[:2], generator=torch.Generator().manual_seed(1))
    mean, std = (
        torch.tensor(values).view(3, 1, 1) for values in (entry.transforms().mean, entry.transforms().std)
    )
    with torch.no_grad():
        expected = theirs((images - mean) / std)
    assert (ours.outputs(images) - expected).abs().max() < 1e-5 * expected.abs().max()


# Blocks of SqueezeNet 1.1 in torchvision.models, and in the assets.
FIRES = dict(zip((3, 4, 6, 7, 9, 10, 11, 12), range(2, 10), strict=True))
PARTS = {"squeeze": "squeeze", "expand1x1": "expand1", "expand3x3": "expand3"}


@pytest.mark.slow
def test_real_weights_keep_their_accuracy(torchvision, assets, tmp_path):
    """SqueezeNet 1.1 as Caffe trained it, carried over to torchvision's: labels, channel order, mean and std
    all have to be right for the 65.5 % that are stated for it."""
    old = {
        key: value.float()
        for key, value in safetensors.torch.load_file(
            assets / "weights" / "squeezenet_v11.safetensors"
        ).items()
    }
    names = {"features.0": "conv1", "classifier.1": "conv10"}
    for place, theirs in FIRES.items():
        names |= {f"features.{place}.{mine}": f"fire{theirs}.{his}" for mine, his in PARTS.items()}
    state = {
        f"{place}.{part}": old[f"{theirs}.{part}"]
        for place, theirs in names.items()
        for part in ("weight", "bias")
    }
    # From (x - mean) / std to 255 x - (123, 117, 104).
    transforms = torchvision.models.SqueezeNet1_1_Weights.DEFAULT.transforms()
    mean, std = torch.tensor(transforms.mean), torch.tensor(transforms.std)
    first = state["features.0.weight"]
    state["features.0.bias"] = state["features.0.bias"] + (
        first.sum((2, 3)) @ (255 * mean - torch.tensor([123.0, 117.0, 104.0]))
    )
    state["features.0.weight"] = first * (255 * std).view(1, 3, 1, 1)
    torch.save(state, tmp_path / "net.pth")
    ours = classifiers.load(
        f"torchvision:squeezenet1_1?weights={tmp_path / 'net.pth'}", numerics=Numerics(batch=20, threads=2)
    )
    report = check(ours, samples.read(assets / "photos200", ours.spec))
    assert report.failures == ()
    accuracy = next(finding.value for finding in report.findings if finding.name == "accuracy")
    assert accuracy == pytest.approx(0.655, abs=0.03), "it is shown 224 pixels, not 227, and pads nothing"


@pytest.mark.parametrize(
    "reason", [urllib.error.URLError("no route to host"), RuntimeError("invalid hash value")]
)
def test_without_network_the_line_says_how_to_give_a_file(torchvision, monkeypatch, reason):
    def fail(*_, **__):
        raise reason

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fail)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    with pytest.raises(
        NotFoundError, match=r"could not download https://.*alexnet.*say torchvision:alexnet\?weights=FILE"
    ) as caught:
        classifiers.load("torchvision:alexnet")
    assert "\n" not in str(caught.value)


def test_downloads_hold_tensors_only(torchvision, torchvision_weights, monkeypatch):
    """Contract 7: what comes from the network is held against its hash and unpickled restrictedly."""
    asked: dict[str, Any] = {}

    def load(url, **arguments):
        asked.update(arguments, url=url)
        return torchvision_weights[2].state_dict()

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", load)
    ours = classifiers.load("torchvision:shufflenet_v2_x0_5")
    assert (asked["weights_only"], asked["check_hash"]) == (True, True)
    assert ours.spec.source == asked["url"]


@pytest.mark.parametrize(
    "spec, error, message",
    [
        ("alexnot", InvalidError, "expected a classifier of torchvision.models, found 'alexnot'; did you mean alexnet"),
        ("fasterrcnn_resnet50_fpn", InvalidError, "expected a classifier of torchvision.models"),
        ("resnet50@V3", InvalidError, "expected resnet50@IMAGENET1K_V1 or resnet50@IMAGENET1K_V2, found @V3"),
        ("alexnet?weight=x", InvalidError, "expected weights=... or key=... or labels=... or output=... or view=... after the .*; did you mean weights"),
        ("alexnet?weights", InvalidError, r"expected a value: weights=\.\.\."),
        ("alexnet?weights=no.pth", NotFoundError, "no.pth: expected a file of weights .*, found no such file"),
        ("alexnet?view=half", InvalidError, "expected view=input or view=whole, found view=half"),
        ("vgg16@IMAGENET1K_FEATURES?weights={file}", InvalidError, "found IMAGENET1K_FEATURES, which has no labels"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(torchvision_weights, spec, error, message):
    with pytest.raises(error, match=message) as caught:
        classifiers.load("torchvision:" + spec.format(file=torchvision_weights[1]))
    assert "\n" not in str(caught.value)


def test_labels_need_weights(torchvision, tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    with pytest.raises(
        InvalidError, match=r"labels=... is for weights of your own: expected weights=FILE too"
    ):
        classifiers.load(f"torchvision:alexnet?labels={tmp_path / 'labels.txt'}")


def test_every_classifier_of_torchvision_can_be_described(torchvision):
    """All transforms that are there today can be expressed, in both views."""
    from fooling.classifiers.sources.torchvision import _pipeline

    models, count = torchvision.models, 0
    for name in models.list_models(module=models):
        for weights in models.get_model_weights(name):
            for view in ("input", "whole"):
                assert _pipeline(weights.transforms(), name).described(view, name)["size"] >= 224
            count += 1
    assert count >= 100
