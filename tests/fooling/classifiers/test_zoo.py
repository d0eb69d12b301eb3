"""Real pretrained networks, brought in each of the ways, keep the accuracy that is stated for them: wrong
channel order, scale, crop or labels would each cost it."""

from __future__ import annotations

import functools
import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

from fooling import classifiers
from fooling.classifiers import Classifier, Numerics, Spec, from_module, samples
from fooling.classifiers.check import check

# Name: side, scale, mean of the network's input, stated top-1 accuracy on photos200.
IMAGENET = {
    "googlenet_bvlc": (224, 255.0, [123.0, 117.0, 104.0], 0.780),
    "squeezenet_v10_dc": (227, 255.0, [123.0, 117.0, 104.0], 0.655),
    "squeezenet_v11": (227, 255.0, [123.0, 117.0, 104.0], 0.655),
    "mobilenet_v1_025_128": (128, 1.9921875, [1.0, 1.0, 1.0], 0.475),
    "mobilenet_v1_050_160": (160, 1.9921875, [1.0, 1.0, 1.0], 0.710),
    "mcunet_5fps_128": (128, 2.0, [1.0, 1.0, 1.0], 0.685),
    "proxyless_w03_128": (128, 2.0, [1.0, 1.0, 1.0], 0.560),
}
SMALL = "mcunet_5fps_128"
NAMES = [pytest.param(name, marks=() if name == SMALL else pytest.mark.slow) for name in IMAGENET]
NUMERICS = Numerics(batch=20, threads=2)

HELPER = '''
import sys
sys.path.insert(0, {folder!r})
import zoo
from fooling.classifiers import Spec

def architecture(name):
    """The bare network; its clamps are buffers, which it reads once its weights are in."""
    network = zoo.MODELS[name][0]()

    def settle(module, _):
        for part in module.modules():
            if isinstance(part, zoo.Conv) and part.act:
                part.hi_value = float(part.hi)

    network.register_load_state_dict_post_hook(settle)
    return network

def folded():
    """The network with its preprocessing folded in."""
    network = zoo.load({name!r}, {folder!r} + "/weights")
    labels = tuple(line.strip() for line in open({labels!r}))
    return network, Spec(name={name!r}, size=network.size, colour="rgb", labels=labels)
'''


@pytest.fixture(scope="module")
def synsets(assets: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels and WordNet ids of the 1,000 classes."""
    lines = (assets / "imagenet" / "synset_words.txt").read_text().splitlines()
    return tuple(line.partition(" ")[2] for line in lines), tuple(line.partition(" ")[0] for line in lines)


@pytest.fixture(scope="module")
def groups(assets: Path) -> dict[str, tuple[int, ...]]:
    data = json.loads((assets / "imagenet" / "hierarchy.json").read_text())["groups"]
    return {name: tuple(members["indices"]) for name, members in data.items()}


@pytest.fixture
def folder(assets, synsets, tmp_path, monkeypatch) -> Path:
    """A user's folder with labels, a helper module, and links to the weights."""
    (tmp_path / "labels.txt").write_text("\n".join(synsets[0]) + "\n")
    (tmp_path / "wnids.txt").write_text("\n".join(synsets[1]) + "\n")
    (tmp_path / "helper.py").write_text(
        HELPER.format(folder=str(assets), name=SMALL, labels=str(tmp_path / "labels.txt"))
    )
    (tmp_path / "tree.json").symlink_to(assets / "imagenet" / "hierarchy.json")
    for weights in (assets / "weights").iterdir():
        (tmp_path / weights.name).symlink_to(weights)
    monkeypatch.chdir(tmp_path)
    sys.modules.pop("helper", None)
    return tmp_path


def described(folder: Path, name: str) -> str:
    """A file spec of one of the networks, preprocessing and all."""
    side, scale, mean, accuracy = IMAGENET[name]
    path = folder / f"{name}.toml"
    path.write_text(
        f'name = "{name}"\nsize = {side}\ncolour = "rgb"\naccuracy = {accuracy}\n'
        'labels = "labels.txt"\nwordnet = "wnids.txt"\ngroups = "tree.json"\n'
        f"[preprocessing]\nscale = {scale}\nmean = {mean}\n"
        f'[network]\narchitecture = "helper:architecture"\narguments = {{ name = "{name}" }}\n'
        f'weights = "{name}.safetensors"\n'
    )
    return f"file:{path}"


@functools.cache
def zoo(assets: Path):
    """The module of the assets, under a name of its own."""
    description = importlib.util.spec_from_file_location("assets_zoo", assets / "zoo.py")
    assert description
    assert description.loader
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    return module


def folded(assets: Path, name: str, labels: tuple[str, ...]) -> Classifier:
    network = zoo(assets).load(name, str(assets / "weights"))
    return from_module(network, Spec(name=name, size=network.size, colour="rgb", labels=labels), NUMERICS)


@pytest.mark.parametrize("name", [SMALL, pytest.param("squeezenet_v11", marks=pytest.mark.slow)])
def test_a_network_from_a_file_keeps_its_stated_accuracy(assets, folder, name):
    classifier = classifiers.load(described(folder, name), numerics=NUMERICS, trust=True)
    report = check(classifier, samples.read(assets / "photos.csv", classifier.spec))
    assert [finding for finding in report.findings if finding.status != "ok"] == []
    accuracy = next(finding.value for finding in report.findings if finding.name == "accuracy")
    assert accuracy == pytest.approx(IMAGENET[name][3], abs=0.0101), (
        "two of 200 photos: resizes differ a little"
    )


@pytest.mark.parametrize("name", NAMES)
def test_preprocessing_as_data_is_that_folded_in(assets, folder, synsets, name):
    """The same network from a file and from Python: the preprocessing is the only difference."""
    ours = classifiers.load(described(folder, name), numerics=NUMERICS, trust=True)
    images = torch.rand(2, 3, *ours.spec.image_shape[:2], generator=torch.Generator().manual_seed(0))
    difference = ours.confidences(images) - folded(assets, name, synsets[0]).confidences(images)
    assert difference.abs().max() < 2e-5


def test_confidences_are_a_plain_forward_pass_within_the_contract(assets, folder, synsets):
    """Contract 1, for networks larger than LeNet: 2e-5."""
    ours = folded(assets, SMALL, synsets[0])
    images = torch.rand(3, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = zoo(assets).load(SMALL, str(assets / "weights"))(images).softmax(1)
    assert (ours.confidences(images) - plain).abs().max() < 2e-5


def test_bits_do_not_depend_on_how_many_images_come(assets, synsets):
    """MCUNet at batches of 12 and 24 differs by 3e-6: hence the padding."""
    ours = folded(assets, SMALL, synsets[0])
    images = torch.rand(23, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    whole = ours.confidences(images)
    for start, stop in ((0, 1), (3, 15), (20, 23)):
        assert torch.equal(ours.confidences(images[start:stop]), whole[start:stop])


def test_python_brings_a_network_too(assets, folder, synsets):
    ours = classifiers.load("python:helper:folded", numerics=NUMERICS, trust=True)
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours.confidences(images), folded(assets, SMALL, synsets[0]).confidences(images))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", ["pt2", "torchscript"])
def test_a_program_of_a_real_network_gives_its_confidences(assets, folder, synsets, kind):
    """The labels travel in the spec: a program has none."""
    network, images = zoo(assets).load(SMALL, str(assets / "weights")), torch.rand(4, 3, 128, 128)
    if kind == "pt2":
        shapes = ({0: torch.export.Dim("batch")},)
        torch.export.save(torch.export.export(network, (images,), dynamic_shapes=shapes), folder / "net.pt2")
    else:
        torch.jit.save(torch.jit.trace(network, images), folder / "net.pt")
    (folder / "program.toml").write_text(
        'name = "program"\nsize = 128\ncolour = "rgb"\nlabels = "labels.txt"\n'
        f'[network]\nprogram = "net.{"pt2" if kind == "pt2" else "pt"}"\n'
    )
    ours = classifiers.load(f"file:{folder / 'program.toml'}", numerics=NUMERICS, trust=True)
    assert (
        ours.confidences(images) - folded(assets, SMALL, synsets[0]).confidences(images)
    ).abs().max() < 2e-5
    assert check(ours).failures == ()


@pytest.mark.slow
def test_an_ensemble_of_different_sizes(assets, folder):
    """MobileNet at 160 and MCUNet at 128: together at least as good as the worse of the two."""
    for name in ("mobilenet_v1_050_160", SMALL):
        described(folder, name)
    (folder / "both.toml").write_text(
        f'name = "both"\n[ensemble]\nmembers = ["file:mobilenet_v1_050_160.toml", "file:{SMALL}.toml"]\n'
    )
    both = classifiers.load("file:both.toml", numerics=NUMERICS, trust=True)
    assert both.spec.size == 160
    report = check(both, samples.read(assets / "photos200", both.spec))
    assert report.failures == ()
    assert next(finding.value for finding in report.findings if finding.name == "accuracy") > 0.7


def test_groups_and_wordnet_ids_travel_with_the_spec(assets, folder, groups, synsets):
    spec = classifiers.load(described(folder, SMALL), trust=True).spec
    assert spec.groups == groups
    assert spec.wordnet == synsets[1]


@pytest.mark.slow
def test_labels_in_another_order_are_caught(assets, folder, synsets):
    """Reversed labels: every name in the gallery would be wrong, and every confidence right."""
    described(folder, SMALL)
    for file, names in (("labels.txt", synsets[0]), ("wnids.txt", synsets[1])):
        (folder / file).write_text("\n".join(reversed(names)) + "\n")
    ours = classifiers.load(f"file:{folder / SMALL}.toml", numerics=NUMERICS, trust=True)
    (folder / "photos.csv").write_text(
        "".join(
            line.partition(",")[2] if number == 0 else line.partition(",")[2].replace("photos200", str(assets / "photos200"))
            for number, line in enumerate((assets / "photos.csv").read_text().splitlines(keepends=True))
        )
    )  # fmt: skip
    report = check(ours, samples.read(folder / "photos.csv", ours.spec))
    assert [finding.name for finding in report.failures] == ["accuracy"]


@pytest.mark.slow
def test_wrong_channel_order_is_caught_by_accuracy(assets, folder):
    """A real pretrained network with BGR for RGB: confident, and a fifth less accurate."""
    spec = described(folder, "mobilenet_v1_050_160")
    path = folder / "mobilenet_v1_050_160.toml"
    path.write_text(path.read_text().replace("[preprocessing]", '[preprocessing]\nchannels = "bgr"'))
    ours = classifiers.load(spec, numerics=NUMERICS, trust=True)
    report = check(ours, samples.read(assets / "photos.csv", ours.spec))
    assert [finding.name for finding in report.failures] == ["accuracy"]
