"""timm's classifiers: its data config, labels and weights, from a file; and why something is refused."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import nn

from fooling import classifiers
from fooling.classifiers import Numerics
from fooling.classifiers.preprocessing import Preprocess
from fooling.classifiers.spec import Spec, parse
from fooling.errors import InvalidError, NotFoundError

NUMERICS = Numerics(batch=5)


@pytest.fixture
def timm(timm_weights):
    import timm

    return timm


@pytest.fixture
def net(timm_weights) -> str:
    name, file, _ = timm_weights
    return f"timm:{name}?weights={file}"


def test_spec_is_what_timm_says(timm, timm_weights, net):
    spec = classifiers.load(net).spec
    config = timm.data.resolve_model_data_config(timm_weights[2])
    assert (spec.size, spec.preprocessing.mean, spec.preprocessing.std) == (
        160,
        config["mean"],
        config["std"],
    )
    assert spec.labels[:2] == ("tench, Tinca tinca", "goldfish, Carassius auratus")
    assert spec.wordnet[:2] == ("n01440764", "n01443537")


def test_outputs_are_timms(timm_weights, net, photos):
    """Square photographs of the size that timm resizes to: its whole pipeline, to 1e-5."""
    from timm.data import create_transform, resolve_model_data_config  # type: ignore[attr-defined]

    network = timm_weights[2]
    whole = classifiers.load(net + "&view=whole", numerics=NUMERICS)
    square = nn.functional.interpolate(photos, whole.spec.size, mode="bilinear", antialias=True)
    pixels = (square * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    transform = create_transform(**resolve_model_data_config(network))
    inputs = torch.stack([transform(Image.fromarray(image)) for image in pixels])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    assert (Preprocess(whole.spec)(images) - inputs).abs().max() < 1e-5
    with torch.no_grad():
        expected = network(inputs)
    assert (whole.outputs(images) - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.parametrize(
    "name, view, size, seen",
    [
        ("resnet50.a1_in1k", "whole", 235, 224),
        ("resnet50.a1_in1k", "input", 224, 224),
        ("vit_tiny_patch16_224.augreg_in21k_ft_in1k", "whole", 248, 224),
        ("tf_efficientnet_b0.ns_jft_in1k", "whole", 256, 224),
    ],
)
def test_data_configs_are_described(timm, name, view, size, seen):
    from fooling.classifiers.sources.timm import _pipeline

    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    described = _pipeline(config, name).described(view, name)
    assert described["size"] == size
    assert (described["preprocessing"].get("crop") or {"size": size})["size"] == seen


def test_every_imagenet_classifier_of_timm_can_be_described(timm):
    """All data configs that are there today, but for a few that pad."""
    from fooling.classifiers.sources.options import Options
    from fooling.classifiers.sources.timm import _labels, _pipeline

    known = [(name, timm.get_pretrained_cfg(name)) for name in timm.list_pretrained()]
    refused = []
    for name, config in ((name, config) for name, config in known if config.num_classes == 1000):
        try:
            described = _pipeline(timm.data.resolve_data_config(pretrained_cfg=config.to_dict()), name)
            described.described("whole", name)
        except InvalidError as error:
            refused.append(str(error))
    assert all("and pad to" in reason for reason in refused)
    assert len(refused) < 10
    for classes in (1000, 11821, 21841, 21843):
        config = next(config for _, config in known if config.num_classes == classes)
        labels, wordnet, _ = _labels(timm, config, Options(), False, "timm")
        assert len(labels) == len(wordnet) == classes  # type: ignore[arg-type]


def test_a_network_of_rectangles_sees_what_timm_makes(timm):
    """The whole view of a photograph of its aspect ratio, as `timm.data.create_transform` cuts it."""
    from fooling.classifiers.sources.timm import _pipeline

    config = {
        "input_size": (3, 96, 160),
        "crop_pct": 0.875,
        "interpolation": "bilinear",
        "mean": (0.5, 0.4, 0.3),
        "std": (0.2, 0.2, 0.1),
    }
    data = _pipeline(config, "timm:x").described("whole", "timm:x")
    spec = parse(Spec, {**data, "name": "x", "labels": ["a"], "output": "scores"}, "timm:x")
    assert (spec.size, spec.input_size) == ((109, 182), (96, 160))
    pixels = np.random.default_rng(0).integers(0, 256, (109, 182, 3), dtype=np.uint8)
    expected = timm.data.create_transform(**config)(Image.fromarray(pixels))
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    assert (Preprocess(spec)(image)[0] - expected).abs().max() < 1e-5


def test_grey_networks_see_grey(timm):
    from fooling.classifiers.sources.timm import _pipeline

    config = {
        "input_size": (1, 28, 28),
        "crop_pct": 1.0,
        "interpolation": "bilinear",
        "mean": (0.5,),
        "std": (0.2,),
    }
    assert _pipeline(config, "timm:x").described("input", "timm:x")["colour"] == "grey"
    with pytest.raises(InvalidError, match="expected a network of 1 or 3 channels, found 4"):
        _pipeline({**config, "input_size": (4, 28, 28)}, "timm:x")


def test_weights_and_labels_of_ones_own(timm, timm_weights, net, tmp_path):
    network = timm.create_model("test_resnet.r160_in1k", pretrained=False, num_classes=3)
    safetensors.torch.save_file(network.state_dict(), tmp_path / "net.safetensors")
    (tmp_path / "labels.txt").write_text("cat\ndog\nship\n")
    own = f"timm:test_resnet.r160_in1k?weights={tmp_path / 'net.safetensors'}"
    ours = classifiers.load(f"{own}&labels={tmp_path / 'labels.txt'}", numerics=NUMERICS)
    assert (ours.labels, ours.spec.wordnet) == (("cat", "dog", "ship"), None)
    with torch.no_grad():
        expected = network.eval()(torch.full((1, 3, 160, 160), 0.0))
    grey = torch.tensor(ours.spec.preprocessing.mean).view(1, 3, 1, 1).expand(1, 3, 160, 160).contiguous()
    assert (ours.outputs(grey) - expected).abs().max() < 1e-5
    with pytest.raises(
        InvalidError, match=r"net.safetensors: expected weights of 1000 classes, found 3 .*: say labels=FILE"
    ):
        classifiers.load(own)


def test_weights_that_are_left_out_are_noticed(timm_weights, tmp_path):
    """timm drops a head that does not fit without a word: every label would get about the same."""
    name, _, network = timm_weights
    state = {key: value for key, value in network.state_dict().items() if not key.startswith("fc.")}
    safetensors.torch.save_file(state, tmp_path / "net.safetensors")
    with pytest.raises(InvalidError, match=r"expected weights of .*Missing key"):
        classifiers.load(f"timm:{name}?weights={tmp_path / 'net.safetensors'}")


def test_without_network_the_line_says_how_to_give_a_file(timm, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        NotFoundError, match=r"timm:test_vit: could not get its weights .* say timm:test_vit\?weights=FILE"
    ) as caught:
        classifiers.load("timm:test_vit")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "spec, error, message",
    [
        ("resnet5", InvalidError, "expected a network of timm, found 'resnet5'; did you mean resnet"),
        ("test_vit.r16_in1k", InvalidError, "expected one of test_vit.r160_in1k, found .*did you mean test_vit.r160_in1k"),
        ("vit_base_patch14_dinov2.lvd142m?weights={file}", InvalidError, "found a network without classes"),
        ("test_vit?weights=no.pth", NotFoundError, "no.pth: expected a file of weights"),
        ("test_vit?labels=labels.txt", NotFoundError, "labels.txt"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(timm_weights, spec, error, message):
    with pytest.raises(error, match=message) as caught:
        classifiers.load("timm:" + spec.format(file=timm_weights[1]))
    assert "\n" not in str(caught.value)


def test_a_pickle_planted_in_weights_never_runs(timm_weights, tmp_path):
    """timm's own reading of files would refuse it too, but it is not asked."""
    import os

    class Bomb:
        def __reduce__(self):
            return os.mknod, (str(tmp_path / "mark"),)

    torch.save({"state": Bomb()}, tmp_path / "net.pth")
    with pytest.raises(InvalidError, match="expected a state dict and nothing else"):
        classifiers.load(f"timm:{timm_weights[0]}?weights={tmp_path / 'net.pth'}", trust=True)
    assert not (tmp_path / "mark").exists()


@pytest.fixture
def saved(timm, tmp_path):
    """A folder as timm's own save_for_hf writes it, and the network in it."""

    def save(**config):
        from timm.models._hub import save_for_hf

        torch.manual_seed(1)
        network = timm.create_model("test_vit", num_classes=3, **config.pop("arguments", {})).eval()
        save_for_hf(
            network, tmp_path / "tuned", model_config={"num_classes": 3, **config}, safe_serialization=True
        )
        return tmp_path / "tuned", network

    return save


@pytest.mark.parametrize("place", ["", "local-dir:"])
def test_a_folder_of_timms_form_is_opened(saved, place):
    """The commonest form of timm's own users; nothing of it needs a network connection."""
    folder, network = saved(label_names=["cat", "dog", "ship"])
    ours = classifiers.load(f"timm:{place}{folder}", numerics=NUMERICS)
    assert (ours.labels, ours.spec.name, ours.notes) == (("cat", "dog", "ship"), "tuned", ())
    images = torch.rand(2, 3, 160, 160)
    mean, std = (torch.tensor(getattr(ours.spec.preprocessing, k)).view(1, 3, 1, 1) for k in ("mean", "std"))
    with torch.no_grad():
        expected = network((images - mean) / std)
    assert (ours.outputs(images) - expected).abs().max() < 1e-5


def test_a_folder_without_labels_numbers_its_classes_and_says_so(saved, tmp_path):
    folder, _ = saved()
    ours = classifiers.load(f"timm:{folder}")
    assert ours.labels == ("0", "1", "2")
    assert "names no classes: they are called 0 to 2; labels=FILE names them" in ours.notes[-1]
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    assert classifiers.load(f"timm:{folder}?labels={tmp_path / 'labels.txt'}").labels == ("a", "b", "c")


def test_each_form_of_folder_points_to_the_source_that_opens_it(saved, timm, hf_folder):
    folder, _ = saved()
    with pytest.raises(InvalidError, match=rf"found timm's: did you mean timm:{folder}\?"):
        classifiers.load(f"hf:{folder}")
    with pytest.raises(
        InvalidError, match=rf"expected architecture of timm .*: did you mean hf:{hf_folder}\?"
    ):
        classifiers.load(f"timm:{hf_folder}")
    (folder / "model.safetensors").unlink()
    with pytest.raises(NotFoundError, match=r"expected model.safetensors in .* say \?weights=FILE"):
        classifiers.load(f"timm:{folder}")


def test_weights_of_one_channel_see_grey_images(timm, tmp_path):
    network = timm.create_model("test_resnet", num_classes=2, in_chans=1).eval()
    torch.save(
        {"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, tmp_path / "w.tar"
    )
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    ours = classifiers.load(f"timm:test_resnet?weights={tmp_path / 'w.tar'}&labels={tmp_path / 'labels.txt'}")
    steps = ours.spec.preprocessing
    assert (ours.spec.colour, steps.mean, len(steps.std)) == ("grey", (0.5,), 1)  # type: ignore[arg-type]
    assert "taken under 'state_dict', 'module.' left off" in ours.notes[0]
    images = torch.rand(2, 1, *ours.spec.image_shape[:2])
    with torch.no_grad():
        expected = network((images - steps.mean[0]) / steps.std[0])
    assert (ours.outputs(images) - expected).abs().max() < 1e-5


def test_without_network_nothing_is_tried_again(timm, monkeypatch):
    """The hub's client would try for a minute before it gives up."""
    import socket
    import time

    monkeypatch.setattr("fooling.classifiers.sources.hub.getproxies", dict)

    def unreachable(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    began = time.monotonic()
    for spec in ("timm:test_vit", "timm:hf-hub:nobody/nothing", "hf:nobody/nothing"):
        with pytest.raises(NotFoundError, match="could not") as caught:
            classifiers.load(spec)
        assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 10
