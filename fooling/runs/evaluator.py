"""Classifiers somewhere, in this process or on Ray workers: opened here, asked for what they say of pixels, closed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers import Classifier
from fooling.classifiers.factory import expect_classifier
from fooling.config import RunSettings
from fooling.runs.computing import Computing
from fooling.runs.executors import ClusterOptions, Placement, numerics_here, open_executor
from fooling.runs.hosting import OBJECT, HostSpec
from fooling.search.evaluation import Wanted
from fooling.sizes import Size


@dataclass(frozen=True)
class Evaluation:
    """What a classifier says of n images.

    Attributes:
        confidences: (n, K) float32; NaN for an image that it has no confidence for.
        logits: (n, K) float32, what its network puts out before the softmax or the sigmoids; None where not asked for.
        features: (n, F) float32, what a layer puts out; None where not asked for.
        gradients: (n, H, W, C) float32, of the logarithm of the confidence in the class asked for with respect to the
            image in [0, 1]; None where not asked for.
    """

    confidences: NDArray[np.float32]
    logits: NDArray[np.float32] | None = None
    features: NDArray[np.float32] | None = None
    gradients: NDArray[np.float32] | None = None


class Evaluator:
    """A classifier on an executor. A context manager: leaving it ends the workers and frees their memory.

    Attributes:
        classifier: the classifier as this process sees it: spec, labels, fingerprint.
        host: the operators around it, in this process.
        operators: the names of those that were swapped, and what each is.
        numerics: how the classifier computes, wherever it does.
        executor: where tasks are computed.
    """

    def __init__(
        self,
        spec: HostSpec,
        classifier: Classifier,
        run: RunSettings,
        images: int,
        stopping: threading.Event | None = None,
        cluster: ClusterOptions | None = None,
    ) -> None:
        """
        Args:
            spec: what makes the hosts.
            classifier: made from it, in this process.
            run: where and how to compute.
            images: asked about at a time, for which workers need room.
            stopping: when it is set, what is under way is given up with `fooling.errors.Interrupted`.
            cluster: how a cluster is waited for.

        Raises:
            FoolingError: no such cluster, or workers that can't start.
        """
        self.classifier, self._stopping = classifier, stopping or threading.Event()
        self.host, self.operators = spec.host(classifier)
        placement = Placement(spec, run, images, self._stopping, cluster or ClusterOptions())
        self.executor, self.numerics = open_executor(placement, self.host)

    def evaluate(
        self,
        pixels: NDArray[np.uint8],
        *,
        logits: bool = False,
        features: str | None = None,
        gradients: NDArray[np.int64] | None = None,
        allow_nan: bool = False,
    ) -> Evaluation:
        """What the classifier says of images.

        Args:
            pixels: (n, H, W, C) uint8, of the size and channels that the classifier's spec says.
            logits: whether to give logits.
            features: the name of the layer to give features of (`Classifier.layers`).
            gradients: (n,) int64, the class of each image for which to give gradients.
            allow_nan: give NaN for an image that there is no confidence for, where that is an error otherwise.

        Raises:
            ClassifierError: images of another shape, or a network that has not what is asked for.
            FoolingError: images that could not be asked about.
        """
        size = self.numerics.batch
        chunks = [
            Wanted(pixels[cut], logits, features, None if gradients is None else gradients[cut], allow_nan)
            for cut in (slice(start, start + size) for start in range(0, len(pixels), size))
        ]
        parts = Computing(self.executor, self._stopping)("evaluate", None, chunks)
        if not parts:
            return Evaluation(np.zeros((0, len(self.classifier.labels)), np.float32))
        return Evaluation(*(_joined([part[name] for part in parts]) for name in Evaluation.__annotations__))

    def close(self) -> None:
        """End what computes."""
        self.executor.close()

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_evaluator(
    model: str | Classifier,
    *,
    size: Size | None = None,
    views: Literal["ten"] | None = None,
    run: RunSettings | None = None,
    trust: bool = False,
    images: int = 1000,
    stopping: threading.Event | None = None,
    cluster: ClusterOptions | None = None,
) -> Evaluator:
    """Load a classifier, check it, and open an evaluator for it.

    Args:
        model: its SPEC, `source:name`, or the classifier itself.
        size: the size of the images that it will be shown (default: its own).
        views: "ten": show each image as ten crops (default: as its spec says).
        run: where and how to compute (default: in this process).
        trust: let the model bring code of its own.
        images: about how many images are asked about at a time.
        stopping: when it is set, what is under way is given up.
        cluster: how a cluster is waited for.

    Raises:
        FoolingError: see its subclasses: the classifier can't be loaded or is broken, or can't be computed there.
    """
    run, given = run or RunSettings(), None if isinstance(model, str) else model
    if given is not None:
        expect_classifier(given)
    name = model if isinstance(model, str) else f"{OBJECT}:{model.spec.name}"
    spec = HostSpec(name, numerics_here(run), trust, given, size, views)
    return Evaluator(spec, spec.classifier(), run, images, stopping, cluster)


def in_channels(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Images as a classifier of grey (1) or RGB (3) images takes them: (n, H, W, channels) uint8. Grey ones are repeated;
    RGB ones become their luma (ITU-R 601), as Pillow computes it."""
    if pixels.shape[3] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=3)
    from PIL import Image

    return np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in pixels])[..., None]


def _joined(parts: Sequence[Any]) -> Any:
    return None if parts[0] is None else np.concatenate(parts)
