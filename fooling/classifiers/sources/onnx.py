"""`onnx:model.onnx`: a network in the ONNX form, computed by onnxruntime, and `model.toml` (or `model.json`)
beside it, which says what its images, labels and outputs are: the keys of `Spec`.

An ONNX file holds a graph of known operators and weights, no code. It is computed on the CPU, whatever the
run's device, and has no gradients.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources.documents import read_description, read_mean_image
from fooling.classifiers.sources.extras import need, one_line
from fooling.classifiers.spec import Spec, parse
from fooling.classifiers.weights_files import sha256
from fooling.errors import InvalidError, NotFoundError


class OnnxNetwork:
    """(rows, channels, side, side) float32 to (rows, classes). It may be asked from several threads at once."""

    def __init__(self, path: Path, numerics: Numerics) -> None:
        """
        Raises:
            InvalidError: not an ONNX model, or one of other inputs or outputs.
        """
        self._path = path
        self._session = _session(path, numerics)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        for kind, found in (("input", inputs), ("output", outputs)):
            if len(found) != 1 or found[0].type != "tensor(float)":
                named = ", ".join(f"{each.name} {each.type}" for each in found)
                raise InvalidError(f"{path}: expected one {kind} of float32, found {named}")
        self._input = inputs[0].name
        self.shape = tuple(inputs[0].shape)
        # A batch that was fixed when the model was exported; else its name.
        self._rows = self.shape[0] if self.shape and isinstance(self.shape[0], int) else None

    @torch.compiler.disable  # `run.compile` has nothing to compile here
    def __call__(self, images: Tensor) -> Tensor:
        """The outputs, on the images' device."""
        values = np.ascontiguousarray(images.detach().cpu().numpy())
        parts = [self._run(part) for part in self._cut(values)]
        return torch.from_numpy(np.concatenate(parts)[: len(values)]).to(images.device)

    def with_numerics(self, numerics: Numerics) -> OnnxNetwork:
        """The same network, computed with as many threads as these numerics say."""
        return OnnxNetwork(self._path, numerics)

    def _cut(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Batches as the model takes them, the last one filled up with zeros."""
        rows = self._rows
        if rows is None:
            return [values]
        filled = np.zeros((-len(values) % rows, *values.shape[1:]), np.float32)
        whole = np.concatenate([values, filled])
        return [whole[start : start + rows] for start in range(0, len(whole), rows)]

    def _run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._session.run(None, {self._input: values})[0]


def open_onnx(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier in that file.

    Raises:
        NotFoundError: no such file, or nothing that describes it.
        InvalidError: not an ONNX model, or not the one that is described; no onnxruntime.
    """
    path = Path(name).expanduser()
    if not path.is_file():
        raise NotFoundError(f"{path}: expected an ONNX model, found no such file")
    beside = _beside(path)
    spec = parse(Spec, {"name": path.stem, **read_description(beside)}, str(beside))
    network = OnnxNetwork(path, numerics)
    _compare(network.shape, spec, path)
    return Classifier(
        network, spec, numerics, mean_image=read_mean_image(beside, spec), identity=_digest(path)
    )


def _beside(path: Path) -> Path:
    found = [file for suffix in (".toml", ".json") if (file := path.with_suffix(suffix)).is_file()]
    if len(found) != 1:
        raise NotFoundError(
            f"{path}: expected {path.stem}.toml or {path.stem}.json beside it, with size, colour, labels, output and "
            f"preprocessing, found {'both' if found else 'neither'}"
        )
    return found[0]


def _compare(shape: tuple[Any, ...], spec: Spec, path: Path) -> None:
    """A dimension that the model leaves open has a name, or none, in the place of its size."""
    expected = (spec.input_channels, spec.input_size, spec.input_size)
    fits = len(shape) == 4 and all(
        found == wanted or not isinstance(found, int)
        for found, wanted in zip(shape[1:], expected, strict=True)
    )
    if not fits:
        raise InvalidError(
            f"{path}: expected an input of shape (batch, {', '.join(map(str, expected))}), "
            f"found ({', '.join(map(str, shape))})"
        )


def _session(path: Path, numerics: Numerics) -> Any:
    runtime = need("onnxruntime", f"onnx:{path}")
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = numerics.threads, 1
    settings.use_deterministic_compute = True
    settings.log_severity_level = 4  # what fails is raised
    try:
        return runtime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InvalidError(f"{path}: expected an ONNX model: {one_line(error)}") from None


def _digest(path: Path) -> str:
    """SHA-256 of the file and, where its weights lie in others beside it, of those."""
    onnx = need("onnx", f"onnx:{path}")
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception as error:
        raise InvalidError(f"{path}: expected an ONNX model: {one_line(error)}") from None
    names = {
        entry.value
        for tensor in graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    digest = hashlib.sha256(sha256(path).encode())
    for name in sorted(names):
        if not (file := path.parent / name).is_file():
            raise NotFoundError(f"{path}: expected its weights in {file}, found no such file")
        digest.update(sha256(file).encode())
    return digest.hexdigest()
