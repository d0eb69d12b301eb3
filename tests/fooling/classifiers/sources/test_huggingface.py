"""Image classifiers of transformers, from a folder as `save_pretrained` writes it: the makers' preprocessing,
labels, and nothing but safetensors; code only with trust."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import nn

from fooling import classifiers
from fooling.classifiers import Numerics
from fooling.classifiers.preprocessing import Preprocess
from fooling.classifiers.sources.hub import Folder
from fooling.classifiers.sources.image_processor import read_pipeline
from fooling.classifiers.spec import Spec, parse
from fooling.errors import InvalidError, NotFoundError
from tests.fooling.classifiers.sources.small import LABELS, SIDE

NUMERICS = Numerics(batch=5)


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "copy"))


def changed(file: Path, **changes: Any) -> None:
    data = json.loads(file.read_text())
    data.update(changes)
    file.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))


def bytes_of(photos: torch.Tensor, side: int) -> np.ndarray:
    """(n, side, side, 3) uint8."""
    square = nn.functional.interpolate(photos, side, mode="bilinear", antialias=True)
    return (square * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def test_outputs_are_transformers(transformers, hf_folder, photos):
    """From 8-bit photographs through the makers' processor to the logits."""
    ours = classifiers.load(f"hf:{hf_folder}", numerics=NUMERICS)
    assert (ours.labels, ours.spec.size, ours.spec.output) == (LABELS, SIDE, "logits")
    pixels = bytes_of(photos, SIDE)
    processor = transformers.AutoImageProcessor.from_pretrained(hf_folder)
    inputs = processor(list(pixels), return_tensors="pt")["pixel_values"]
    network = transformers.AutoModelForImageClassification.from_pretrained(hf_folder).eval()
    with torch.no_grad():
        expected = network(inputs).logits
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    assert (Preprocess(ours.spec)(images) - inputs).abs().max() < 1e-5
    assert (ours.outputs(images) - expected).abs().max() < 1e-5 * expected.abs().max()


PROCESSORS: dict[str, tuple[dict[str, Any], int, int]] = {
    "ViT": ({"size": {"height": 48, "width": 48}}, 48, 48),
    "DeiT": ({"size": {"height": 64, "width": 64}, "crop_size": {"height": 56, "width": 56}}, 64, 56),
    "CLIP": ({"size": {"shortest_edge": 64}, "crop_size": {"height": 56, "width": 56}}, 64, 56),
    "Siglip": ({"size": {"height": 48, "width": 48}}, 48, 48),
    "ConvNext": ({"size": {"shortest_edge": 56}, "crop_pct": 0.875}, 64, 56),
    "EfficientNet": ({"size": {"height": 48, "width": 48}, "rescale_factor": 1 / 127.5, "rescale_offset": True, "include_top": True, "resample": 3}, 48, 48),
    "MobileViT": ({"size": {"shortest_edge": 64}, "crop_size": {"height": 56, "width": 56}}, 64, 56),
    "MobileNetV2": ({"size": {"shortest_edge": 64}, "crop_size": {"height": 56, "width": 56}}, 64, 56),
    "Bit": ({"size": {"shortest_edge": 64}, "crop_size": {"height": 56, "width": 56}}, 64, 56),
}  # fmt: skip


@pytest.mark.parametrize("kind", PROCESSORS)
def test_processors_are_transformers(transformers, photos, kind, tmp_path):
    """In every detail that their files hold: scale, offset, channel order, crop, and a mean that is subtracted
    once and a std that divides twice."""
    settings, size, side = PROCESSORS[kind]
    getattr(transformers, f"{kind}ImageProcessorPil")(**settings).save_pretrained(tmp_path)
    described = read_pipeline(Folder(tmp_path, kind, None), kind).described("whole", kind)
    spec = parse(Spec, {**described, "name": kind, "labels": ["a"]}, kind)
    assert (spec.size, spec.input_size) == (size, side)
    pixels = bytes_of(photos, size)
    processor = getattr(transformers, f"{kind}ImageProcessorPil").from_pretrained(tmp_path)
    expected = torch.from_numpy(
        np.stack(processor([Image.fromarray(image) for image in pixels])["pixel_values"])
    )
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    assert (Preprocess(spec)(images) - expected).abs().max() < 1e-5 * max(1.0, expected.abs().max())


def test_a_resize_that_resizes_is_transformers(transformers, save_classifier, photos, tmp_path):
    """Of float photographs by its torchvision backend, 256 to 48 pixels."""
    save_classifier(tmp_path, {"size": {"height": 48, "width": 48}}, image_size=48)
    processor = transformers.ViTImageProcessor.from_pretrained(tmp_path, do_rescale=False)
    expected = processor(photos, return_tensors="pt")["pixel_values"]
    spec = classifiers.load(f"hf:{tmp_path}?view=whole").spec.model_copy(update={"size": 256})
    assert (Preprocess(spec)(photos) - expected).abs().max() < 1e-5


def test_a_network_of_rectangles_sees_what_transformers_makes(
    transformers, save_classifier, photos, tmp_path
):
    """Height and width the other way round are pictures on their side."""
    save_classifier(tmp_path, {"size": {"height": 32, "width": 64}}, image_size=(32, 64))
    ours = classifiers.load(f"hf:{tmp_path}", numerics=NUMERICS)
    assert ours.spec.image_shape == (32, 64, 3)
    assert ours.confidences(torch.rand(2, 3, 32, 64)).shape == (2, len(LABELS))
    processor = transformers.ViTImageProcessor.from_pretrained(tmp_path, do_rescale=False)
    wide = photos[:, :, :128]
    expected = processor(wide, return_tensors="pt")["pixel_values"]
    spec = classifiers.load(f"hf:{tmp_path}?view=whole").spec.model_copy(update={"size": (128, 256)})
    assert (Preprocess(spec)(wide) - expected).abs().max() < 1e-5


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"do_thumbnail": True}, "do_thumbnail of its image processor can't be expressed"),
        ({"size": {"longest_edge": 32}}, "expected a size in size of its image processor, found {'longest_edge': 32"),
        ({"size": {"height": 32, "width": 0}}, r"size of its image processor: expected a side .*, found \[32, 0\]"),
        ({"size": [32, 64, 3]}, r"expected a side of 1 to 4096 pixels.* found \[32, 64, 3\]"),
        ({"image_mean": None}, "expected three numbers in image_mean of its image processor, found None"),
        ({"image_std": [0.5]}, r"expected three numbers in image_std of its image processor, found \[0.5\]"),
    ],
)  # fmt: skip
def test_what_a_spec_cant_hold_is_refused(hf_folder, tmp_path, changes, message):
    folder = copied(hf_folder, tmp_path)
    changed(folder / "preprocessor_config.json", **changes)
    with pytest.raises(InvalidError, match=message):
        classifiers.load(f"hf:{folder}")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"resample": 1}, "expected a bilinear or bicubic resize, found lanczos: leave out view=whole"),
        ({"image_processor_type": "LevitImageProcessor"}, "its makers' resize can't be expressed: leave out view=whole"),
        ({"do_center_crop": True, "crop_size": {"height": 32, "width": 32}, "size": {"shortest_edge": 24}}, "resize to 24 x 24 and pad to 32 x 32"),
        ({"do_center_crop": True, "crop_size": {"height": 16, "width": 32}, "size": {"shortest_edge": 32}}, "can't be expressed: leave out view=whole"),
    ],
)  # fmt: skip
def test_a_resize_that_cant_be_expressed_is_refused_where_it_is_asked_for(
    hf_folder, tmp_path, changes, message
):
    folder = copied(hf_folder, tmp_path)
    changed(folder / "preprocessor_config.json", **changes)
    assert classifiers.load(f"hf:{folder}").spec.size in (SIDE, (16, 32))
    with pytest.raises(InvalidError, match=message):
        classifiers.load(f"hf:{folder}?view=whole")


def test_a_processor_beside_a_tokenizer_is_found(hf_folder, tmp_path):
    """transformers 5 keeps both in one file."""
    folder = copied(hf_folder, tmp_path)
    alone = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(NotFoundError, match=r"expected preprocessor_config.json in .*, found none"):
        classifiers.load(f"hf:{folder}")
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": alone}))
    assert (
        classifiers.load(f"hf:{folder}").spec.preprocessing
        == classifiers.load(f"hf:{hf_folder}").spec.preprocessing
    )


def test_labels_that_do_not_exclude_each_other_have_a_sigmoid_each(save_classifier, tmp_path):
    """A softmax over them would make them shares of one."""
    network = save_classifier(tmp_path, problem_type="multi_label_classification")
    ours = classifiers.load(f"hf:{tmp_path}", numerics=NUMERICS)
    assert ours.spec.output == "sigmoid"
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(Preprocess(ours.spec)(images)).logits.sigmoid()
    assert (ours.confidences(images) - expected).abs().max() < 1e-6


@pytest.mark.parametrize("problem", [None, "regression"])
def test_a_single_logit_is_a_sigmoid_where_the_user_says_so(save_classifier, tmp_path, problem):
    """By a softmax every image would be 100 % fake; transformers writes such heads down as one label, or as a
    regression."""
    network = save_classifier(tmp_path, num_labels=1, problem_type=problem)
    with pytest.raises(InvalidError, match=r"\?output=") as caught:
        classifiers.load(f"hf:{tmp_path}")
    assert "\n" not in str(caught.value)
    (tmp_path / "two.txt").write_text("real\nfake\n")
    two = classifiers.load(f"hf:{tmp_path}?output=sigmoid&labels={tmp_path / 'two.txt'}", numerics=NUMERICS)
    one = classifiers.load(f"hf:{tmp_path}?output=sigmoid", numerics=NUMERICS)
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        fake = network(Preprocess(one.spec)(images)).logits.sigmoid()
    assert (one.confidences(images) - fake).abs().max() < 1e-6
    assert two.labels == ("real", "fake")
    assert (two.confidences(images) - torch.cat([1 - fake, fake], 1)).abs().max() < 1e-6


def test_a_backbone_without_its_head_is_refused(hf_folder, tmp_path):
    """transformers would give it a random one and warn."""
    folder = copied(hf_folder, tmp_path)
    state = safetensors.torch.load_file(folder / "model.safetensors")
    kept = {key: value for key, value in state.items() if not key.startswith("classifier.")}
    safetensors.torch.save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        InvalidError, match=r"expected all weights of ViTForImageClassification, found none for 'classifier"
    ):
        classifiers.load(f"hf:{folder}")


def test_pickles_are_not_opened(hf_folder, tmp_path):
    folder = copied(hf_folder, tmp_path)
    torch.save(safetensors.torch.load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        InvalidError, match=r"expected weights in safetensors in .*, found none; other forms are pickles"
    ):
        classifiers.load(f"hf:{folder}", trust=True)


CODE = """
import os
os.mknod({mark!r})
import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutput


class Config(PretrainedConfig):
    model_type = "made-up"


class Network(PreTrainedModel):
    config_class = Config

    def __init__(self, config):
        super().__init__(config)
        self.head = torch.nn.Linear(3, 5)
        self.post_init()

    def forward(self, pixel_values):
        return ImageClassifierOutput(logits=self.head(pixel_values.mean((2, 3))))
"""


def test_code_beside_the_weights_runs_with_trust_only(hf_folder, tmp_path, monkeypatch):
    """Contract 7, for a folder that says which code is to be imported."""
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder, mark = copied(hf_folder, tmp_path), tmp_path / "mark"
    (folder / "made_up.py").write_text(CODE.format(mark=str(mark)))
    named = {"AutoConfig": "made_up.Config", "AutoModelForImageClassification": "made_up.Network"}
    changed(folder / "config.json", auto_map=named, model_type="made-up")
    weights = {"head.weight": torch.ones(5, 3), "head.bias": torch.zeros(5)}
    safetensors.torch.save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InvalidError, match=r"carries code that loading would run; .* say --trust"):
        classifiers.load(f"hf:{folder}")
    assert not mark.exists()
    ours = classifiers.load(f"hf:{folder}", trust=True, numerics=NUMERICS)
    assert mark.exists()
    assert ours.outputs(torch.ones(1, 3, SIDE, SIDE)).tolist() == [[pytest.approx(3.0, abs=1e-5)] * 5]


def test_code_beside_the_weights_of_a_known_kind_does_not_run(hf_folder, tmp_path):
    folder, mark = copied(hf_folder, tmp_path), tmp_path / "mark"
    (folder / "made_up.py").write_text(CODE.format(mark=str(mark)))
    changed(folder / "config.json", auto_map={"AutoModelForImageClassification": "made_up.Network"})
    ours = classifiers.load(f"hf:{folder}")
    assert not mark.exists()
    assert ours.labels == LABELS


def test_a_snapshot_of_the_hub_is_pinned(hf_folder, monkeypatch, tmp_path):
    """The commit goes into spec and fingerprint; nothing but data is asked for without trust."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = Path(shutil.copytree(hf_folder, tmp_path / "snapshots" / commit))
    asked: dict[str, Any] = {}

    def download(repository: str, **arguments: Any) -> str:
        asked.update(arguments, repository=repository)
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    ours = classifiers.load("hf:owner/name@v1.0")
    assert (asked["repository"], asked["revision"]) == ("owner/name", "v1.0")
    assert "*.py" not in asked["allow_patterns"]
    assert (ours.spec.name, ours.spec.source) == ("owner/name", f"owner/name@{commit}")
    assert ours.fingerprint != classifiers.load(f"hf:{snapshot}").fingerprint


@pytest.mark.parametrize(
    "name, message",
    [
        (
            "owner/name",
            r"there is no folder owner/name, and it could not be got from the hub .* name its folder",
        ),
        (
            "./nowhere/at/all",
            r"expected a folder or OWNER/NAME\[@REVISION\] of the hub, found './nowhere/at/all'",
        ),
    ],
)
def test_what_is_not_there_is_said_in_one_line(transformers, monkeypatch, name, message):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(NotFoundError, match=message) as caught:
        classifiers.load(f"hf:{name}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model_type": "bert"}, "expected an image classifier of transformers, found model_type 'bert'"),
        ({"problem_type": "regression"}, "expected a classifier, found problem_type 'regression'"),
        ({"hidden_size": 16}, "transformers can't load it"),
    ],
)
def test_what_is_no_classifier_is_refused(hf_folder, tmp_path, changes, message):
    folder = copied(hf_folder, tmp_path)
    changed(folder / "config.json", **changes)
    with pytest.raises(InvalidError, match=message) as caught:
        classifiers.load(f"hf:{folder}")
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_refused_in_one_line(hf_folder, tmp_path):
    folder = copied(hf_folder, tmp_path)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InvalidError, match="transformers can't load it") as caught:
        classifiers.load(f"hf:{folder}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mean", [[0.4], 0.4, [0.4, 0.4, 0.4]])
def test_a_network_of_one_channel_sees_grey(save_classifier, tmp_path, mean):
    """Of X-rays, digits, spectrograms: their processor gives one number, or one for all."""
    network = save_classifier(tmp_path / "grey", num_channels=1)
    described = {"size": {"height": 32, "width": 32}, "image_mean": mean, "image_std": [0.5]}
    (tmp_path / "grey" / "preprocessor_config.json").write_text(json.dumps(described))
    ours = classifiers.load(f"hf:{tmp_path / 'grey'}")
    assert (ours.spec.colour, ours.spec.preprocessing.mean) == ("grey", (0.4,))
    images = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        expected = network(pixel_values=(images - 0.4) / 0.5).logits
    assert (ours.outputs(images) - expected).abs().max() < 1e-5
    described["image_mean"] = [0.4, 0.5, 0.6]
    (tmp_path / "grey" / "preprocessor_config.json").write_text(json.dumps(described))
    with pytest.raises(InvalidError, match="expected one number in image_mean"):
        classifiers.load(f"hf:{tmp_path / 'grey'}")


def test_a_missing_description_of_the_preprocessing_has_a_way_out(save_classifier, tmp_path):
    save_classifier(tmp_path / "vit")
    (tmp_path / "vit" / "preprocessor_config.json").unlink()
    with pytest.raises(
        NotFoundError, match=r"found none: .* copy it .*, or write it: .*\"image_mean\""
    ) as caught:
        classifiers.load(f"hf:{tmp_path / 'vit'}")
    assert "\n" not in str(caught.value)


def test_a_pointer_in_the_place_of_weights_is_named(save_classifier, tmp_path):
    save_classifier(tmp_path / "vit")
    (tmp_path / "vit" / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\nsize 3\n"
    )
    with pytest.raises(InvalidError, match=r"model.safetensors: .* found a Git LFS pointer, .*git lfs pull"):
        classifiers.load(f"hf:{tmp_path / 'vit'}")


def test_a_processor_that_is_no_table_is_told_in_one_line(tmp_path: Path) -> None:
    """The file may come from anywhere: a traceback names no file to mend."""
    (tmp_path / "processor_config.json").write_text('{"image_processor": []}')
    with pytest.raises(
        InvalidError, match=r"hf:x: expected image_processor in processor_config.json, found \[\]"
    ):
        read_pipeline(Folder(tmp_path, "x", None), "hf:x")
