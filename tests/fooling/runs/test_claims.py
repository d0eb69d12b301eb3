"""Contract 1 with every kind of preprocessing: a PNG, read and prepared by plain torch as the network's makers
would, gets the confidence that the run claims. A failure means that every number of such a run is wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

import fooling
from fooling import classifiers
from fooling.classifiers import Crop, Preprocessing, Resize, Spec

SMALL = ["search.generations=4", "search.population=30"]
CLASSES = 6


class Net(nn.Module):
    """(n, channels, any, any) to (n, 6) logits."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 12, 5, stride=2)
        self.head = nn.Linear(12, CLASSES)
        draw = torch.Generator().manual_seed(channels)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=draw))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))


def centre(x: Tensor, side: int) -> Tensor:
    start = (x.shape[-1] - side) // 2
    return x[..., start : start + side, start : start + side]


def ten(x: Tensor, side: int) -> list[Tensor]:
    last = x.shape[-1] - side
    corners = [x[..., i : i + side, j : j + side] for i in (0, last) for j in (0, last)]
    five = [*corners, centre(x, side)]
    return [*five, *(crop.flip(-1) for crop in five)]


def resize(x: Tensor, side: int, mode: str = "bilinear", antialias: bool = True) -> Tensor:
    x = functional.interpolate(x, (side, side), mode=mode, align_corners=False, antialias=antialias)
    return x.clamp(0, 1)  # bicubic overshoots at edges


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PER_CHANNEL = [torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD)]
CAFFE = torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)

# Name -> colour and size of the images, the spec's data, and the same in plain torch: image -> network inputs.
KINDS: dict[str, tuple[str, int, Preprocessing, Callable[[Tensor], list[Tensor]]]] = {
    "nothing": ("rgb", 32, Preprocessing(), lambda x: [x]),
    "grey": ("grey", 28, Preprocessing(scale=255 / 256), lambda x: [x * (255 / 256)]),
    "mean and std": (
        "rgb", 32, Preprocessing(mean=MEAN, std=STD), lambda x: [(x - PER_CHANNEL[0]) / PER_CHANNEL[1]],
    ),
    "caffe: BGR, 0..255, minus mean": (
        "rgb", 32,
        Preprocessing(channels="bgr", scale=255.0, mean=(104.0, 117.0, 123.0)),
        lambda x: [x.flip(1) * 255 - CAFFE],
    ),
    "resize and centre crop": (
        "rgb", 40,
        Preprocessing(resize=Resize(size=32), crop=Crop(size=28)),
        lambda x: [centre(resize(x, 32), 28)],
    ),
    "bicubic, enlarged": (
        "rgb", 24,
        Preprocessing(resize=Resize(size=32, filter="bicubic", antialias=False)),
        lambda x: [resize(x, 32, "bicubic", False)],
    ),
    "ten crops": ("rgb", 40, Preprocessing(crop=Crop(size=32, views="ten")), lambda x: ten(x, 32)),
    "grey network, colour images": (
        "rgb", 32, Preprocessing(channels="grey"), lambda x: [(x * LUMA).sum(1, keepdim=True)],
    ),
}  # fmt: skip


def claims(run: fooling.Snapshot) -> list[tuple[int, float, Tensor]]:
    """Class, stated confidence, and the image as it lies on the disk, NCHW in [0, 1]."""
    found = []
    for number in run.archive.occupied.tolist():
        pixels = np.asarray(Image.open(run.directory / "elites" / f"{number:04d}.png"))
        image = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).copy()).permute(2, 0, 1)[None]
        found.append((number, float(run.confidence[number]), image.float() / 255))
    return found


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
@pytest.mark.parametrize("kind", KINDS)
def test_plain_torch_gives_the_stated_confidence(kind, encoding, tmp_path):
    colour, size, preprocessing, plain = KINDS[kind]
    grey = colour == "grey" or preprocessing.channels == "grey"
    network = Net(1 if grey else 3).eval()
    spec = Spec(name="net", size=size, colour=colour, labels=tuple("abcdef"), preprocessing=preprocessing)  # type: ignore[arg-type]
    classifier = classifiers.from_module(network, spec)
    settings = [*SMALL, f"encoding.name={encoding}"]
    run = fooling.run(out=tmp_path / "run", assignments=settings, classifier=classifier)
    for number, stated, image in claims(run):
        with torch.no_grad():
            crops = [network(view).softmax(1)[0, number] for view in plain(image)]
        assert float(torch.stack(crops).mean()) == pytest.approx(stated, abs=1e-6)


def test_images_of_another_size_are_resized(tmp_path):
    """`encoding.size` may differ from what the spec says."""
    network = Net(3).eval()
    spec = Spec(name="net", size=32, colour="rgb", labels=tuple("abcdef"))
    classifier = classifiers.from_module(network, spec)
    settings = [*SMALL, "encoding.size=48"]
    run = fooling.run(out=tmp_path / "run", assignments=settings, classifier=classifier)
    assert run.stored_pixels.shape[1:] == (48, 48, 3)
    for number, stated, image in claims(run):
        with torch.no_grad():
            confidence = network(resize(image, 32)).softmax(1)[0, number]
        assert float(confidence) == pytest.approx(stated, abs=1e-6)
    resumed = fooling.resume(tmp_path / "run", classifier=classifier)
    assert resumed.archive.digest() == run.archive.digest()


def test_ten_crops_of_any_classifier(tmp_path):
    """`classifier.views = "ten"`, as the `-released` configs say: 227 of 256 pixels, scaled to the network."""
    network = Net(3).eval()
    spec = Spec(name="net", size=32, colour="rgb", labels=tuple("abcdef"))
    classifier = classifiers.from_module(network, spec)
    settings = [*SMALL, "encoding.profile=released", "encoding.size=64", 'classifier.views="ten"']
    run = fooling.run(out=tmp_path / "run", assignments=settings, classifier=classifier)
    for number, stated, image in claims(run):
        with torch.no_grad():
            crops = [network(view).softmax(1)[0, number] for view in ten(resize(image, 36), 32)]
        assert float(torch.stack(crops).mean()) == pytest.approx(stated, abs=1e-6)
