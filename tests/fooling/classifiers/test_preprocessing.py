"""Preprocessing against Pillow and torchvision: a network that gets other inputs than in its training loses
accuracy silently, and every confidence of a run is then about another classifier."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fooling.classifiers import Crop, Preprocessing, Resize
from fooling.classifiers.preprocessing import Preprocess
from fooling.classifiers.sources.documents import read_mean_image
from fooling.classifiers.spec import parse
from fooling.errors import InvalidError

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@pytest.fixture(scope="module", params=["photos", "noise"])
def images(request) -> torch.Tensor:
    """(n, 3, 256, 256) in [0, 1], of 8 bits: photographs, and noise where no assets are."""
    if request.param == "photos":
        folder: Path = request.getfixturevalue("assets") / "photos200"
        arrays = [np.asarray(Image.open(file).convert("RGB")) for file in sorted(folder.iterdir())[::25]]
    else:
        arrays = list(np.random.default_rng(3).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8))
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255


def pillow(images: torch.Tensor, side: int, name: str) -> torch.Tensor:
    """Pillow's resize of float images, a channel at a time."""
    planes = images.reshape(-1, *images.shape[2:]).numpy()
    done = [np.asarray(Image.fromarray(plane).resize((side, side), FILTERS[name])) for plane in planes]
    return torch.from_numpy(np.stack(done)).view(*images.shape[:2], side, side)


@pytest.mark.parametrize("side", [128, 224, 300])
@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
def test_resize_is_pillows_in_float(images, spec, side, name):
    """torch places the filters in float32, Pillow in float64: at most 3e-5 apart (1.5e-5 on
    photographs), less than a hundredth of an 8-bit level."""
    steps = Preprocess(spec(size=256, preprocessing=Preprocessing(resize=Resize(size=side, filter=name))))
    assert (steps(images) - pillow(images, side, name).clamp(0, 1)).abs().max() < 3e-5


@pytest.mark.parametrize("name, most, mean", [("bilinear", 1.01, 0.35), ("bicubic", 12.0, 0.5)])
def test_resize_is_within_8_bits_of_pillows(assets, spec, name, most, mean):
    """Pillow rounds (and clips) after each of its two passes; this does not. In levels of 8 bits."""
    steps = Preprocess(spec(size=256, preprocessing=Preprocessing(resize=Resize(size=224, filter=name))))
    for file in sorted((assets / "photos200").iterdir())[::25]:
        photo = Image.open(file).convert("RGB")
        rounded = np.asarray(photo.resize((224, 224), FILTERS[name])).transpose(2, 0, 1)
        image = torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1)[None].float() / 255
        difference = np.abs(steps(image)[0].numpy() * 255 - rounded)
        assert difference.max() < most
        assert difference.mean() < mean


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
def test_resize_is_torchvisions_of_tensors(torchvision, images, spec, name, antialias):
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms import functional as tv

    mode = InterpolationMode(name)
    expected = tv.resize(images, [224, 224], mode, antialias=antialias).clamp(0, 1)
    resize = Resize(size=224, filter=name, antialias=antialias)
    ours = Preprocess(spec(size=256, preprocessing=Preprocessing(resize=resize)))(images)
    assert (ours - expected).abs().max() < 1e-6


def test_the_usual_imagenet_pipeline_is_torchvisions(torchvision, images, spec):
    from torchvision import transforms

    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    pipeline = transforms.Compose(
        [
            transforms.Resize(232, antialias=True),
            transforms.CenterCrop(224),
            transforms.Normalize(mean, std),
        ]
    )
    steps = Preprocessing(resize=Resize(size=232), crop=Crop(size=224), mean=mean, std=std)
    assert (Preprocess(spec(size=256, preprocessing=steps))(images) - pipeline(images)).abs().max() < 1e-5


def test_ten_crops_are_torchvisions(torchvision, images, spec):
    """torchvision mirrors the image and then crops, so lists the mirrored corners in another order, and takes
    another centre where the border is odd; here each crop is mirrored, as in the released code."""
    from torchvision.transforms import functional as tv

    expected = torch.stack(tv.ten_crop(images, 224), 1)
    steps = Preprocess(spec(size=256, preprocessing=Preprocessing(crop=Crop(size=224, views="ten"))))
    ours = steps(images).view(-1, 10, 3, 224, 224)
    order = [0, 1, 2, 3, 4, 6, 5, 8, 7, 9]
    assert torch.equal(ours, expected[:, order])


def test_caffes_input_by_hand(spec):
    """BGR, 0..255, minus the mean: 117 / 104 swapped would cost a Caffe network its accuracy unnoticed."""
    image = torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    steps = Preprocessing(channels="bgr", scale=255.0, mean=(104.0, 117.0, 123.0))
    found = Preprocess(spec(size=2, preprocessing=steps))(image)[0, :, 0, 0]
    assert found.tolist() == [0 - 104.0, 127.5 - 117.0, 255 - 123.0]


def test_grey_to_colour_and_back(spec):
    grey = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    shown = Preprocess(spec(size=4, colour="grey", preprocessing=Preprocessing(channels="rgb")))(grey)
    assert shown.shape == (2, 3, 4, 4)
    assert torch.equal(shown[:, 0], shown[:, 2])
    back = Preprocess(spec(size=4, preprocessing=Preprocessing(channels="grey")))(shown)
    assert (back - grey).abs().max() < 1e-6


def test_colour_to_grey_is_pillows(spec, images):
    steps = Preprocess(spec(size=256, preprocessing=Preprocessing(channels="grey")))
    pixels = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in pixels])
    assert np.abs(steps(images)[:, 0].numpy() * 255 - expected).max() <= 0.51


def test_the_mean_images_centre_is_subtracted_from_every_crop(spec):
    """As the released code does, whatever the crop's place (Nguyen 2015)."""
    mean = np.arange(3 * 8 * 8, dtype=np.float32).reshape(3, 8, 8)
    crops = Preprocessing(crop=Crop(size=4, views="ten"), mean_image="mean.npy")
    found = Preprocess(spec(size=8, preprocessing=crops), mean)(torch.zeros(1, 3, 8, 8))
    assert found.shape == (10, 3, 4, 4)
    assert torch.equal(found, -torch.from_numpy(mean[None, :, 2:6, 2:6]).expand(10, 3, 4, 4))


@pytest.mark.parametrize("mean", [None, np.zeros((3, 3, 3), np.float32), np.zeros((1, 8, 8), np.float32)])
def test_a_mean_image_that_does_not_fit_is_refused(spec, mean):
    with pytest.raises(InvalidError, match="mean image"):
        Preprocess(spec(size=8, preprocessing=Preprocessing(mean_image="mean.npy")), mean)


def test_rectangles_are_resized_and_cropped_by_height_and_width(spec, images):
    """Height and width in the wrong order are a picture on its side, with no error where both fit."""
    wide = images[:, :, 40:168]  # 128 x 256
    steps = Preprocessing(resize=Resize(size=(48, 192)), crop=Crop(size=(32, 160), views="ten"))
    found = Preprocess(spec(size=(128, 256), preprocessing=steps))(wide)
    planes = wide.reshape(-1, 128, 256).numpy()
    resized = np.stack(
        [np.asarray(Image.fromarray(plane).resize((192, 48), FILTERS["bilinear"])) for plane in planes]
    )
    small = torch.from_numpy(resized).view(len(wide), 3, 48, 192)
    places = [(0, 0), (0, 32), (16, 0), (16, 32), (8, 16)]
    five = torch.stack([small[:, :, top : top + 32, left : left + 160] for top, left in places], 1)
    expected = torch.cat([five, five.flip(-1)], 1).view(-1, 3, 32, 160)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 3e-5


def test_the_centre_of_a_rectangular_mean_image_is_subtracted(spec):
    mean = np.arange(3 * 8 * 12, dtype=np.float32).reshape(3, 8, 12)
    steps = Preprocess(spec(size=(4, 10), preprocessing=Preprocessing(mean_image="mean.npy")), mean)
    assert torch.equal(steps(torch.zeros(1, 3, 4, 10))[0], -torch.from_numpy(mean[:, 2:6, 1:11].copy()))


@pytest.mark.parametrize(
    "steps",
    [
        Preprocessing(resize=Resize(size=9, filter="bicubic"), crop=Crop(size=6, views="ten"), std=(2.0, 2.0, 2.0)),
        Preprocessing(resize=Resize(size=9, antialias=False), channels="bgr", mean=(0.1, 0.2, 0.3)),
        Preprocessing(channels="grey", scale=255.0),
    ],
)  # fmt: skip
def test_gradients_pass_through_every_step(spec, steps):
    images = (0.2 + 0.6 * torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))).double()
    module = Preprocess(spec(preprocessing=steps)).double()
    assert torch.autograd.gradcheck(module, images.requires_grad_(), eps=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    "data", [b"version https://git-lfs.github.com/spec/v1\nsize 3\n", b"PK\x03\x04", b""]
)
def test_a_mean_image_of_another_kind_is_named(spec, tmp_path, data):
    """numpy would speak of pickles, or of files without data."""
    (tmp_path / "mean.npy").write_bytes(data)
    named = spec(size=8, preprocessing=Preprocessing(mean_image="mean.npy"))
    with pytest.raises(InvalidError, match=r"mean.npy: expected a mean image \(.npy\), found "):
        read_mean_image(tmp_path / "t.toml", named)


def test_layout_and_number_type_are_the_last_steps(spec):
    """A network that wants bytes, channels last, must get exactly the 8 bits that a claim is about."""
    steps = Preprocess(spec(size=4, preprocessing=Preprocessing(scale=255.0, layout="nhwc", dtype="uint8")))
    pixels = torch.randint(
        0, 256, (2, 4, 4, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    assert torch.equal(steps(pixels.permute(0, 3, 1, 2).float() / 255), pixels)
    for wrong in ({}, {"scale": 255.0, "mean": [1.0, 1.0, 1.0]}):
        with pytest.raises(
            InvalidError, match=r'expected scale = 255.0 and no mean or std with dtype = "uint8"'
        ):
            parse(Preprocessing, {"dtype": "uint8", **wrong}, "net.toml")
