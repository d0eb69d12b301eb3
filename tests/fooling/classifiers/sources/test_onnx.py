"""ONNX models through onnxruntime: equal to the network that they were exported from, described by the file
beside them, and told apart by their weights wherever those lie."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fooling import classifiers
from fooling.classifiers import Numerics, Preprocessing, Spec, from_module
from fooling.classifiers.check import check
from fooling.errors import InvalidError, NotFoundError
from tests.fooling.classifiers.sources.small import LABELS, ONNX_BESIDE, export

NUMERICS = Numerics(batch=4)
pytestmark = [
    pytest.mark.filterwarnings("ignore:You are using the legacy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The feature will be removed:DeprecationWarning"),
]


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(7, 3, 12, 12, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def in_torch(tiny):
    """The same network with the same preprocessing, in torch."""
    preprocessing = Preprocessing(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    spec = Spec(name="tiny", size=12, colour="rgb", labels=LABELS, preprocessing=preprocessing)
    return from_module(tiny, spec, NUMERICS)


def test_confidences_are_torchs(onnx_file, in_torch, images):
    ours = classifiers.load(f"onnx:{onnx_file}", numerics=NUMERICS)
    assert (ours.spec.name, ours.labels) == ("tiny", LABELS)
    assert (ours.confidences(images) - in_torch.confidences(images)).abs().max() < 1e-5
    assert not ours.differentiable


@pytest.mark.parametrize("name", ["mcunet_5fps_128", pytest.param("squeezenet_v11", marks=pytest.mark.slow)])
def test_a_real_network_keeps_its_confidences(onnx_runtime, assets, photos, tmp_path, monkeypatch, name):
    """Exported from a pretrained network: equal to it in torch within 1e-4, on photographs."""
    monkeypatch.syspath_prepend(str(assets))
    import zoo

    network = zoo.load(name, str(assets / "weights"))
    labels = [
        line.split(" ", 1)[1] for line in (assets / "imagenet" / "synset_words.txt").read_text().splitlines()
    ]
    file = tmp_path / f"{name}.onnx"
    export(network, file, network.size)
    beside = {"size": network.size, "colour": "rgb", "labels": labels}
    file.with_suffix(".json").write_text(json.dumps(beside))
    ours = classifiers.load(f"onnx:{file}", numerics=NUMERICS)
    shown = torch.nn.functional.interpolate(photos, network.size, mode="bilinear", antialias=True).clamp(0, 1)
    with torch.no_grad():
        expected = network(shown).softmax(1)
    assert (ours.confidences(shown) - expected).abs().max() < 1e-4
    assert check(ours).failures == ()
    sys.modules.pop("zoo")


@pytest.mark.parametrize("size", [(12, 30), [12, 30], None])
def test_rectangles_are_taken_by_height_and_width(onnx_runtime, tiny, tmp_path, size):
    """A graph that fixes them need not be described twice; the other way round it is refused."""
    file = tmp_path / "wide.onnx"
    export(tiny, file, (12, 30))
    beside = {"colour": "rgb", "labels": LABELS}
    file.with_suffix(".json").write_text(json.dumps(beside if size is None else {**beside, "size": size}))
    ours = classifiers.load(f"onnx:{file}", numerics=NUMERICS)
    assert ours.spec.image_shape == (12, 30, 3)
    images = torch.rand(3, 3, 12, 30, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (ours.confidences(images) - tiny(images).softmax(1)).abs().max() < 1e-5
    file.with_suffix(".json").write_text(json.dumps({**beside, "size": [30, 12]}))
    with pytest.raises(
        InvalidError, match=r"expected an input of shape \(batch, 3, 30, 12\), found \(.*3, 12, 30\)"
    ):
        classifiers.load(f"onnx:{file}", numerics=NUMERICS)


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_a_batch_that_was_fixed_at_the_export_is_kept(onnx_runtime, tiny, onnx_file, images, tmp_path, batch):
    """Smaller than, larger than, and no divisor of a run's physical batch."""
    fixed = tmp_path / "fixed.onnx"
    export(tiny, fixed, 12, batch=batch)
    fixed.with_suffix(".toml").write_text(ONNX_BESIDE)
    ours = classifiers.load(f"onnx:{fixed}", numerics=NUMERICS)
    dynamic = classifiers.load(f"onnx:{onnx_file}", numerics=NUMERICS)
    assert (ours.confidences(images) - dynamic.confidences(images)).abs().max() < 1e-6
    assert check(ours).failures == ()


def test_bits_do_not_depend_on_the_threads_that_ask(onnx_file, images):
    """A session is shared by the evaluators of a process."""
    from concurrent.futures import ThreadPoolExecutor

    ours = classifiers.load(f"onnx:{onnx_file}", numerics=NUMERICS)
    alone = ours.confidences(images)
    with ThreadPoolExecutor(4) as pool:
        assert all(
            torch.equal(alone, found) for found in pool.map(lambda _: ours.confidences(images), range(20))
        )


def test_a_run_that_compiles_computes_it_as_it_is(onnx_file, images):
    plain, compiled = (
        classifiers.load(f"onnx:{onnx_file}", numerics=Numerics(batch=4, compiled=setting))
        for setting in (False, True)
    )
    assert torch.equal(plain.confidences(images), compiled.confidences(images))


def test_threads_are_the_numerics(onnx_file, monkeypatch):
    import onnxruntime

    asked = []
    session = onnxruntime.InferenceSession

    def record(path, settings, **arguments):
        asked.append((settings.intra_op_num_threads, settings.inter_op_num_threads))
        return session(path, settings, **arguments)

    monkeypatch.setattr(onnxruntime, "InferenceSession", record)
    classifiers.load(f"onnx:{onnx_file}", numerics=NUMERICS).with_numerics(Numerics(threads=3, batch=4))
    assert asked == [(1, 1), (3, 1)]


def test_other_weights_are_another_fingerprint(onnx_runtime, tiny, onnx_file, tmp_path):
    """Also where they lie in a file of their own, as torch's newer exporter writes them."""
    import onnx

    def external(file: Path) -> str:
        model = onnx.load(onnx_file)
        onnx.save(model, file, save_as_external_data=True, location="tiny.data", size_threshold=0)
        file.with_suffix(".toml").write_text(ONNX_BESIDE)
        return classifiers.load(f"onnx:{file}").fingerprint

    (tmp_path / "apart").mkdir()
    first = external(tmp_path / "apart" / "tiny.onnx")
    data = tmp_path / "apart" / "tiny.data"
    changed = np.fromfile(data, np.float32)
    changed[0] += 1
    changed.tofile(data)
    assert classifiers.load(f"onnx:{tmp_path / 'apart' / 'tiny.onnx'}").fingerprint != first
    data.unlink()
    with pytest.raises((InvalidError, NotFoundError), match=r"tiny\.onnx: expected"):
        classifiers.load(f"onnx:{tmp_path / 'apart' / 'tiny.onnx'}")


def test_a_mean_image_beside_it_is_used(onnx_file, images, tmp_path):
    np.save(tmp_path / "mean.npy", np.full((3, 12, 12), 0.5, np.float32))
    plain = classifiers.load(f"onnx:{onnx_file}", numerics=NUMERICS).spec
    text = onnx_file.with_suffix(".toml").read_text().partition("[preprocessing]")[0]
    onnx_file.with_suffix(".toml").write_text(text + '[preprocessing]\nmean_image = "mean.npy"\n')
    first = classifiers.load(f"onnx:{onnx_file}", numerics=NUMERICS)
    onnx_file.with_suffix(".toml").write_text(text + "[preprocessing]\nmean = [0.5, 0.5, 0.5]\n")
    second = classifiers.load(f"onnx:{onnx_file}", numerics=NUMERICS)
    assert torch.equal(first.confidences(images), second.confidences(images))
    assert plain.size == first.spec.size


def _with_two_outputs(file: Path) -> None:
    class Two(torch.nn.Module):
        def forward(self, x):
            return x.mean((2, 3)), x.amax((2, 3))

    torch.onnx.export(Two(), (torch.zeros(2, 3, 12, 12),), str(file), dynamo=False)


def _of_bytes(file: Path) -> None:
    file.write_bytes(bytes([8, 9, 18]) * 9)


class Bytes(torch.nn.Module):
    def forward(self, x):
        return x.float().mean((2, 3))


def _of_uint8(file: Path) -> None:
    torch.onnx.export(Bytes(), (torch.zeros(2, 3, 12, 12, dtype=torch.uint8),), str(file), dynamo=False)


def _of_int64(file: Path) -> None:
    torch.onnx.export(Bytes(), (torch.zeros(2, 3, 12, 12, dtype=torch.int64),), str(file), dynamo=False)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            _with_two_outputs,
            r"expected one output of 5 classes, found \d+ float \(2, 3\), \d+ float \(2, 3\): say output_key",
        ),
        (_of_bytes, "expected an ONNX model: "),
        (_of_uint8, r'expected scale = 255.0 and no mean or std with dtype = "uint8"'),
        (_of_int64, r"expected one input of float32, .*, found \S+ int64 \(2, 3, 12, 12\)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_models_of_another_form_are_refused(onnx_file, spoil, message):
    spoil(onnx_file)
    with pytest.raises(InvalidError, match=message) as caught:
        classifiers.load(f"onnx:{onnx_file}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "old, new, error, message",
    [
        ("size = 12", "size = 14", InvalidError, r"expected an input of shape \(batch, 3, 14, 14\), found \(batch, 3, 12, 12\)"),
        ('colour = "rgb"', 'colour = "grey"', InvalidError, "expected 1 numbers in mean, found 3"),
        ("labels", "label", InvalidError, "label is not a key; did you mean labels"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_model_is_refused(onnx_file, old, new, error, message):
    beside = onnx_file.with_suffix(".toml")
    beside.write_text(beside.read_text().replace(old, new))
    with pytest.raises(error, match=message):
        classifiers.load(f"onnx:{onnx_file}")


def test_one_file_describes_it(onnx_file):
    """None, and the name of what is missing is told; two, and nobody knows which one is meant."""
    beside = onnx_file.with_suffix(".toml")
    onnx_file.with_suffix(".json").write_text("{}")
    with pytest.raises(NotFoundError, match=r"expected tiny.toml or tiny.json beside it, .* found both"):
        classifiers.load(f"onnx:{onnx_file}")
    beside.unlink()
    onnx_file.with_suffix(".json").unlink()
    with pytest.raises(NotFoundError, match=r"expected tiny.toml or tiny.json beside it, .* found neither"):
        classifiers.load(f"onnx:{onnx_file}")
    with pytest.raises(NotFoundError, match=r"no\.onnx: expected an ONNX model, found no such file"):
        classifiers.load("onnx:no.onnx")


class Written(torch.nn.Module):
    """The tiny network as another toolkit would write it."""

    def __init__(self, tiny: torch.nn.Module, kind: str) -> None:
        super().__init__()
        self.tiny, self.kind = tiny, kind

    def forward(self, x):
        if self.kind == "nhwc":
            x = x.permute(0, 3, 1, 2)
        if self.kind == "uint8":
            x = x.float() / 255
        logits = self.tiny(x)
        return (x.mean((2, 3)), logits, logits.softmax(1)[:, :4]) if self.kind == "several" else logits


EXAMPLES = {
    "nhwc": torch.zeros(2, 12, 12, 3),
    "uint8": torch.zeros(2, 3, 12, 12, dtype=torch.uint8),
    "float16": torch.zeros(2, 3, 12, 12, dtype=torch.float16),
    "several": torch.zeros(2, 3, 12, 12),
}
BARE = ONNX_BESIDE.partition("[preprocessing]")[0]


def written(tiny, kind: str, file: Path, beside: str = BARE) -> str:
    """The SPEC of such a model. Batch, and of NHWC the sides too, are open."""
    network = Written(tiny, kind)
    network = network.to(EXAMPLES[kind].dtype) if EXAMPLES[kind].is_floating_point() else network
    names = ["features", "logits", "some"] if kind == "several" else ["logits"]
    axes = {
        "x": {0: "n", 1: "h", 2: "w"} if kind == "nhwc" else {0: "n"},
        **{name: {0: "n"} for name in names},
    }
    torch.onnx.export(
        network.eval(), (EXAMPLES[kind],), str(file), dynamo=False, dynamic_axes=axes, input_names=["x"],
        output_names=names,
    )  # fmt: skip
    file.with_suffix(".toml").write_text(beside)
    return f"onnx:{file}"


@pytest.mark.parametrize(
    "kind, note, near",
    [
        ("nhwc", 'layout = "nhwc"', 1e-5),
        ("uint8", 'dtype = "uint8", scale = 255.0', 1e-5),
        ("float16", 'dtype = "float16"', 2e-2),
        ("several", 'output_key = "logits"', 1e-5),
    ],
)
def test_what_the_graph_settles_is_taken_from_it_and_said(onnx_runtime, tiny, tmp_path, kind, note, near):
    """TensorFlow writes NHWC, converters halves and bytes; refusing them leaves their users without a way on."""
    import copy

    pixels = np.random.default_rng(0).integers(0, 256, (7, 12, 12, 3), dtype=np.uint8)
    plain = from_module(tiny, Spec(name="tiny", size=12, colour="rgb", labels=LABELS), NUMERICS)
    ours = classifiers.load(written(copy.deepcopy(tiny), kind, tmp_path / "net.onnx"), numerics=NUMERICS)
    assert np.abs(ours.classify(pixels) - plain.classify(pixels)).max() < near
    assert ours.notes == (f"read from the graph: {note}",)
    assert check(ours).failures == ()
    said = BARE + "".join(
        f"[preprocessing]\n{line}\n" for line in [note.replace(", ", "\n")] if "key" not in note
    )
    said = f"{note}\n{BARE}" if "key" in note else said
    (tmp_path / "net.toml").write_text(said)
    again = classifiers.load(f"onnx:{tmp_path / 'net.onnx'}", numerics=NUMERICS)
    assert (again.notes, again.fingerprint) == ((), ours.fingerprint)


def test_one_of_several_outputs_is_named_or_counted(onnx_runtime, tiny, tmp_path):
    """Whoever means another output than the one with a number per label says which."""
    four = BARE.replace(', "house"', "")
    spec = written(tiny, "several", tmp_path / "net.onnx", f'output_key = "some"\noutput = "scores"\n{four}')
    assert classifiers.load(spec).labels == LABELS[:4]
    (tmp_path / "net.toml").write_text(f'output_key = 2\noutput = "scores"\n{four}')
    assert classifiers.load(spec).spec.output_key == "some"
    for key in ('"other"', "3"):
        (tmp_path / "net.toml").write_text(f"output_key = {key}\n{four}")
        with pytest.raises(
            InvalidError, match=r"expected output_key = .*, found features float \(n, 3\), logits"
        ):
            classifiers.load(spec)


def test_a_key_that_contradicts_the_graph_is_refused(onnx_runtime, tiny, tmp_path):
    spec = written(tiny, "several", tmp_path / "net.onnx", BARE + '[preprocessing]\nlayout = "nhwc"\n')
    with pytest.raises(InvalidError, match=r"shape \(batch, 12, 12, 3\), found \(n, 3, 12, 12\)"):
        classifiers.load(spec)
    (tmp_path / "net.toml").write_text(BARE + '[preprocessing]\ndtype = "float16"\n')
    with pytest.raises(InvalidError, match="expected an input of float16, found float32"):
        classifiers.load(spec)


@pytest.mark.parametrize("data", [b"version https://git-lfs.github.com/spec/v1\nsize 3\n", b"<html>", b""])
def test_what_lies_in_a_models_place_is_named(onnx_file, data):
    """onnxruntime would say that a protocol buffer can't be parsed."""
    onnx_file.write_bytes(data)
    with pytest.raises(
        InvalidError, match=r"tiny.onnx: expected an ONNX model, found an? (Git LFS|web page|empty file)"
    ):
        classifiers.load(f"onnx:{onnx_file}")


@pytest.mark.parametrize("labels", [["fake"], ["real", "fake"]])
def test_one_logit_is_one_class_or_two(onnx_runtime, tiny, tmp_path, labels):
    """A graph can't be given another end: without a key for the sigmoid, detectors would have no way in."""
    file = tmp_path / "one.onnx"
    tiny.head = torch.nn.Linear(8, 1)
    export(tiny, file, 12)
    file.with_suffix(".toml").write_text(
        f'size = 12\ncolour = "rgb"\noutput = "sigmoid"\nlabels = {json.dumps(labels)}\n'
    )
    images = torch.rand(3, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    fake = tiny(images).sigmoid()
    expected = fake if len(labels) == 1 else torch.cat([1 - fake, fake], 1)
    assert (classifiers.load(f"onnx:{file}").confidences(images) - expected).abs().max() < 1e-5


def test_the_compiler_of_torch_is_imported_only_where_it_is_needed():
    """A failure costs each command, and each job of the service, a second before it begins."""
    code = "import sys, fooling.api; assert 'torch._dynamo' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
