"""`onnx:model.onnx`: a network in the ONNX form, computed by onnxruntime, and `model.toml` (or `model.json`)
beside it, which says what its images, labels and outputs are: the keys of `Spec`.

An ONNX file holds a graph of known operators and weights, no code. It is computed on the CPU, whatever the
run's device, and has no gradients.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
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
from fooling.classifiers.spec import Layout, Spec, parse
from fooling.classifiers.weights_files import sha256
from fooling.errors import InvalidError, NotFoundError
from fooling.files import user_path
from fooling.first_look import Kind, expect

# What onnxruntime calls the number types that a spec can name; outputs may be of all but the last.
_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
}


class OnnxNetwork:
    """The input that the spec's preprocessing makes to (rows, classes) floats. It may be asked from several
    threads at once."""

    def __init__(self, path: Path, numerics: Numerics, output: str | None = None) -> None:
        """
        Args:
            output: the name of the output that is taken; None: the first.

        Raises:
            InvalidError: not an ONNX model, or one of several inputs.
        """
        self._path = path
        self._session = _session(path, numerics)
        inputs, self.outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or inputs[0].type not in _TYPES:
            raise InvalidError(
                f"{path}: expected one input of {', '.join(_TYPES.values())}, found {_named(inputs)}"
            )
        self._input = inputs[0].name
        self._output = self.outputs[0].name if output is None else output
        self.shape, self.dtype = tuple(inputs[0].shape), _TYPES[inputs[0].type]
        # `run.compile` has nothing to compile here. Marked only when there is such a network: the mark imports torch's
        # compiler, which takes a second.
        self._eager = torch.compiler.disable(self._compute)
        # A batch that was fixed when the model was exported; else its name.
        self._rows = self.shape[0] if self.shape and isinstance(self.shape[0], int) else None

    def __call__(self, images: Tensor) -> Tensor:
        """The outputs, on the images' device."""
        return self._eager(images)

    def _compute(self, images: Tensor) -> Tensor:
        values = np.ascontiguousarray(images.detach().cpu().numpy())
        parts = [self._run(part) for part in self._cut(values)]
        return torch.from_numpy(np.concatenate(parts)[: len(values)]).to(images.device)

    def with_numerics(self, numerics: Numerics) -> OnnxNetwork:
        """The same network, computed with as many threads as these numerics say."""
        return self.taking(self._output, numerics)

    def taking(self, output: str, numerics: Numerics) -> OnnxNetwork:
        """The same network, of whose outputs the named one is taken."""
        return OnnxNetwork(self._path, numerics, output)

    def _cut(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Batches as the model takes them, the last one filled up with zeros."""
        rows = self._rows
        if rows is None:
            return [values]
        filled = np.zeros((-len(values) % rows, *values.shape[1:]), values.dtype)
        whole = np.concatenate([values, filled])
        return [whole[start : start + rows] for start in range(0, len(whole), rows)]

    def _run(self, values: NDArray[Any]) -> NDArray[Any]:
        return self._session.run([self._output], {self._input: values})[0]


def open_onnx(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier in that file.

    Raises:
        NotFoundError: no such file, or nothing that describes it.
        InvalidError: not an ONNX model, or not the one that is described; no onnxruntime.
    """
    path = user_path(name)
    expect(path, "an ONNX model", Kind.ONNX, Kind.UNKNOWN)
    beside = _beside(path)
    described, notes = read_description(beside)
    network = OnnxNetwork(path, numerics)
    seen = _size_in(network.shape, described)
    data = {"name": path.stem, **seen, **described}
    spec = parse(Spec, data, str(beside))
    keys, steps = _told_by_graph(network, spec, path)
    told = {**steps, **seen, **keys}
    if told:
        given = spec.preprocessing.model_dump(mode="json", exclude_unset=True)
        spec = parse(Spec, {**data, **keys, "preprocessing": {**steps, **given}}, str(beside))
    _compare(network, spec, path)
    return Classifier(
        network if spec.output_key is None else network.taking(str(spec.output_key), numerics),
        spec,
        numerics,
        mean_image=read_mean_image(beside, spec),
        identity=_digest(path),
        notes=(
            *notes,
            f"read from the graph: {', '.join(f'{key} = {json.dumps(value)}' for key, value in told.items())}",
        )
        if told
        else notes,
    )


def _size_in(shape: tuple[Any, ...], described: dict[str, Any]) -> dict[str, list[int]]:
    """The key `size`, where nobody gave it and the graph fixes height and width of its input, which images are
    as they come: the axes beside that of 1 or 3 channels."""
    steps = described.get("preprocessing")
    if "size" in described or (isinstance(steps, dict) and {"resize", "crop"} & steps.keys()):
        return {}
    if len(shape) != 4 or not {shape[1], shape[3]} & {1, 3}:
        return {}
    found = shape[2:] if shape[1] in (1, 3) else shape[1:3]
    return {"size": list(found)} if all(isinstance(side, int) and side > 0 for side in found) else {}


def _told_by_graph(network: OnnxNetwork, spec: Spec, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the description leaves out and the graph settles: keys of the spec (the output), and of its preprocessing
    (layout, number type)."""
    steps: dict[str, Any] = {}
    given = spec.preprocessing.model_fields_set
    if "layout" not in given and not _fits(network, spec, "nchw") and _fits(network, spec, "nhwc"):
        steps["layout"] = "nhwc"
    if "dtype" not in given and network.dtype != "float32":
        steps["dtype"] = network.dtype
        if network.dtype == "uint8" and "scale" not in given:
            steps["scale"] = 255.0
    output = _output(network, spec, path)
    return ({} if output == spec.output_key else {"output_key": output}), steps


def _output(network: OnnxNetwork, spec: Spec, path: Path) -> str | None:
    """The name of the output that is meant; None where there is one alone, and none is named.

    Raises:
        InvalidError: no such output, one of another type, or several that may be meant.
    """
    outputs, key = network.outputs, spec.output_key
    if key is not None:
        chosen = [each for index, each in enumerate(outputs) if key in (index, each.name)]
    elif len(outputs) == 1:
        chosen = outputs
    else:
        chosen = [each for each in outputs if len(each.shape) == 2 and each.shape[1] in spec.columns]
    if len(chosen) != 1:
        meant = f"output_key = {key!r}" if key is not None else f"one output of {len(spec.labels)} classes"
        raise InvalidError(
            f"{path}: expected {meant}, found {_named(outputs)}: "
            "say output_key = the name (or index) of the one that is meant"
        )
    if _TYPES.get(chosen[0].type, "uint8") == "uint8":
        raise InvalidError(f"{path}: expected an output of floating-point numbers, found {_named(chosen)}")
    return chosen[0].name if key is not None or len(outputs) > 1 else None


def _named(values: Sequence[Any]) -> str:
    """Inputs or outputs of a session, with shapes and types."""
    return ", ".join(
        f"{each.name} {each.type.removeprefix('tensor')[1:-1]} ({', '.join(map(str, each.shape))})"
        for each in values
    )


def _beside(path: Path) -> Path:
    found = [file for suffix in (".toml", ".json") if (file := path.with_suffix(suffix)).is_file()]
    if len(found) != 1:
        raise NotFoundError(
            f"{path}: expected {path.stem}.toml or {path.stem}.json beside it, with size, colour, labels, output and "
            f"preprocessing, found {'both' if found else 'neither'}"
        )
    return found[0]


def _fits(network: OnnxNetwork, spec: Spec, layout: Layout) -> bool:
    """A dimension that the model leaves open has a name, or none, in the place of its size."""
    expected = _expected(spec, layout)
    return len(network.shape) == 4 and all(
        found == wanted or not isinstance(found, int)
        for found, wanted in zip(network.shape[1:], expected, strict=True)
    )


def _expected(spec: Spec, layout: Layout) -> tuple[int, int, int]:
    channels, height, width = spec.input_shape
    return (channels, height, width) if layout == "nchw" else (height, width, channels)


def _compare(network: OnnxNetwork, spec: Spec, path: Path) -> None:
    """
    Raises:
        InvalidError: the graph's input is not what the spec's preprocessing makes.
    """
    steps = spec.preprocessing
    if not _fits(network, spec, steps.layout):
        raise InvalidError(
            f"{path}: expected an input of shape (batch, {', '.join(map(str, _expected(spec, steps.layout)))}), "
            f"found ({', '.join(map(str, network.shape))})"
        )
    if steps.dtype != network.dtype:
        raise InvalidError(f"{path}: expected an input of {steps.dtype}, found {network.dtype}")


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
