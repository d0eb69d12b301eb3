"""Small real models of every source, with random weights from a fixed seed, made as their users make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import nn

from fooling.classifiers import Numerics
from tests.fooling.classifiers.sources.small import LABELS, ONNX_BESIDE, SIDE, export, randomised, write_clip

CHARACTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """What a test computes beside a classifier: four threads on a busy core take ten times as long as one."""
    with Numerics(threads=1).applied():
        yield


@pytest.fixture(scope="session")
def photos(assets: Path) -> torch.Tensor:
    """(5, 3, 256, 256) float32 in [0, 1]: photographs."""
    files = sorted((assets / "photos200").iterdir())[::40]
    arrays = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255


@pytest.fixture(scope="session")
def torchvision_weights(torchvision, tmp_path_factory) -> tuple[str, Path, nn.Module]:
    """Name, state dict and network of a small classifier."""
    network = randomised(torchvision.models.shufflenet_v2_x0_5(weights=None))
    file = tmp_path_factory.mktemp("torchvision") / "net.pth"
    torch.save(network.state_dict(), file)
    return "shufflenet_v2_x0_5", file, network


@pytest.fixture(scope="session")
def timm_weights(torchvision, tmp_path_factory) -> tuple[str, Path, nn.Module]:
    """The same of timm's."""
    timm = pytest.importorskip("timm", reason="timm is not installed: the extra zoo")
    network = randomised(timm.create_model("test_resnet.r160_in1k", pretrained=False))
    file = tmp_path_factory.mktemp("timm") / "net.safetensors"
    safetensors.torch.save_file(network.state_dict(), file)
    return "test_resnet.r160_in1k", file, network


@pytest.fixture(scope="session")
def transformers() -> Any:
    pytest.importorskip("transformers", reason="transformers is not installed: the extra hf")
    import transformers

    return transformers


SaveClassifier = Callable[..., nn.Module]


@pytest.fixture(scope="session")
def save_classifier(transformers) -> SaveClassifier:
    """`save_classifier(folder, processor={...}, **config)`: a ViT as its user saves it."""

    def save(folder: Path, processor: dict[str, Any] | None = None, **config: Any) -> nn.Module:
        settings = {"id2label": dict(enumerate(LABELS)), "image_size": SIDE, **config}
        made = transformers.ViTConfig(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, patch_size=8, **settings
        )  # fmt: skip
        network = randomised(transformers.ViTForImageClassification(made))
        network.save_pretrained(folder)
        chosen = {"size": {"height": SIDE, "width": SIDE}} if processor is None else processor
        transformers.ViTImageProcessorPil(**chosen).save_pretrained(folder)
        return network

    return save


@pytest.fixture(scope="session")
def hf_folder(save_classifier, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hf") / "small-vit"
    save_classifier(folder)
    return folder


def _encoders(kind: str, vocabulary: int, length: int) -> dict[str, Any]:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    width = {} if kind == "siglip" else {"projection_dim": 24}
    return {
        "text_config": {**sizes, **width, "vocab_size": vocabulary, "max_position_embeddings": length,
                        "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1},
        "vision_config": {**sizes, **width, "image_size": SIDE, "patch_size": 8},
        **width,
    }  # fmt: skip


@pytest.fixture(scope="session")
def clip_folder(transformers, tmp_path_factory) -> Path:
    """A CLIP that reads letters, with its tokenizer and image processor."""
    folder = tmp_path_factory.mktemp("clip") / "small-clip"
    words = ["<|startoftext|>", "<|endoftext|>", *CHARACTERS, *(f"{letter}</w>" for letter in CHARACTERS)]
    tokenizer = transformers.CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[])
    model = transformers.CLIPModel(transformers.CLIPConfig(**_encoders("clip", len(words), 24)))
    randomised(model)
    with torch.no_grad():
        model.logit_scale.fill_(2.5)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def siglip_folder(transformers, tmp_path_factory) -> Path:
    """The same with a SigLIP."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("siglip") / "small-siglip"
    words = ["<pad>", "</s>", "<unk>", *CHARACTERS]
    plain = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    model = transformers.SiglipModel(transformers.SiglipConfig(**_encoders("siglip", len(words), 24)))
    randomised(model)
    with torch.no_grad():
        model.logit_scale.fill_(2.0)
        model.logit_bias.fill_(-1.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    transformers.SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def onnx_runtime() -> Any:
    pytest.importorskip("onnx", reason="onnx is not installed: the extra onnx")
    return pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: the extra onnx")


@pytest.fixture
def onnx_file(onnx_runtime, tiny, tmp_path) -> Path:
    """The tiny network as ONNX, described by a file beside it."""
    file = tmp_path / "tiny.onnx"
    export(tiny, file, 12)
    file.with_suffix(".toml").write_text(ONNX_BESIDE)
    return file


@pytest.fixture(scope="session")
def of_five_classes(tmp_path_factory) -> Callable[[str, nn.Module, str], str]:
    """`of_five_classes(name, network, head)`: the options of a SPEC with the first five classes of a network."""

    def cut(name: str, network: nn.Module, head: str) -> str:
        folder = tmp_path_factory.mktemp(name)
        state = network.state_dict()
        state |= {
            f"{head}.{part}": state[f"{head}.{part}"][: len(LABELS)].clone() for part in ("weight", "bias")
        }
        torch.save(dict(state), folder / "five.pth")
        (folder / "labels.txt").write_text("\n".join(LABELS))
        return f"?weights={folder / 'five.pth'}&labels={folder / 'labels.txt'}"

    return cut


@pytest.fixture(params=["torchvision", "timm", "hf", "clip", "siglip", "onnx"])
def model(request, tmp_path) -> str:
    """The SPEC of a small model of each source."""
    kind = request.param
    if kind in ("torchvision", "timm"):
        name, _, network = request.getfixturevalue(f"{kind}_weights")
        head = "fc" if kind == "torchvision" else network.pretrained_cfg["classifier"]
        return f"{kind}:{name}{request.getfixturevalue('of_five_classes')(kind, network, head)}"
    if kind == "hf":
        return f"hf:{request.getfixturevalue('hf_folder')}"
    if kind == "onnx":
        return f"onnx:{request.getfixturevalue('onnx_file')}"
    return write_clip(tmp_path / "zero-shot.toml", request.getfixturevalue(f"{kind}_folder"))
