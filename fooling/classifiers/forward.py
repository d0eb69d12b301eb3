"""Forward passes: a network's on physical batches, all of one size and layout.

The last batch is filled up, so an image's bits do not depend on how many images come with it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor

from fooling.classifiers.batching import full_batch
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.outputs import as_confidences, per_class
from fooling.classifiers.preprocessing import Preprocess
from fooling.classifiers.spec import Spec
from fooling.classifiers.validity import ClassifierError
from fooling.errors import FoolingError, first_line

Network = Callable[[Tensor], Tensor]


class Forward:
    """A network behind its preprocessing; several threads may run it at once.

    Attributes:
        images_per_pass: images of one physical batch.
    """

    def __init__(self, network: Network, preprocess: Preprocess, spec: Spec, numerics: Numerics) -> None:
        self._preprocess, self._spec, self._numerics = preprocess, spec, numerics
        self._device = torch.device(numerics.device)
        # One program per physical batch: dynamic shapes would cost speed, and there is only one.
        self._network: Network = torch.compile(network, dynamic=False) if numerics.compiled else network
        # Ten crops are ten rows of a forward pass: the physical batch counts rows.
        self.images_per_pass = max(1, numerics.batch // spec.views)

    def map(self, images: Tensor, head: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply a function to physical batches.

        Args:
            images: (n, channels, height, width), float32 in [0, 1] or uint8. Gradients flow to them where they require
                them and gradients are enabled.
            head: takes (images_per_pass, channels, height, width) float32 and returns as many rows.

        Returns:
            The n rows that belong to the images, on the images' device.
        """
        count, step = images.shape[0], self.images_per_pass
        recorded = images.requires_grad and torch.is_grad_enabled()
        grad = nullcontext() if torch.is_grad_enabled() == recorded else torch.set_grad_enabled(recorded)
        with self._numerics.applied(), grad:
            parts = []
            for start in range(0, count, step):
                rows = head(self.full(images[start : start + step]))
                parts.append(rows if start + step <= count else rows[: count - start])
            if not parts:
                return torch.empty((0, len(self._spec.labels)), device=images.device)
            result = parts[0] if len(parts) == 1 else torch.cat(parts)
            return result if result.device == images.device else result.to(images.device)

    def full(self, part: Tensor) -> Tensor:
        """A physical batch with these images first (`batching.full_batch`)."""
        return full_batch(part, self.images_per_pass, self._device, self._numerics.memory_format)

    def outputs(self, batch: Tensor) -> Tensor:
        """What the network puts out for a physical batch, (rows, classes) float32, a row for each view.

        Raises:
            ClassifierError: the network fails, or puts out another shape.
        """
        inputs = self.inputs(batch)
        try:
            return per_class(self.run(self._network, inputs), self._spec, len(inputs))
        except ValueError as error:
            raise ClassifierError(f"{self._spec.name}: {error}") from None

    def inputs(self, batch: Tensor) -> Tensor:
        """What the preprocessing makes of a physical batch, (rows, *input shape), a row for each view."""
        return batch if self._preprocess.idle else self._preprocess(batch)

    def run(self, network: Network, inputs: Tensor) -> Tensor:
        """What a network returns for its inputs.

        Raises:
            ClassifierError: it fails; one line says how. Running out of memory is left as it is: the engine halves
                the batch then.
        """
        try:
            return network(inputs)
        except (FoolingError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            reason = first_line(error, 200)
            if "view size is not compatible" in reason:  # .view() of what channels-last lays out otherwise
                reason = 'it calls .view() and needs the other memory layout: set layout = "nchw"'
            raise ClassifierError(
                f"{self._spec.name}: the network failed on input of shape {tuple(inputs.shape)}: "
                f"{type(error).__name__}: {reason}"
            ) from error

    def confidences(self, outputs: Tensor) -> Tensor:
        """Outputs (rows, classes) as confidences (images, classes)."""
        return self.over_views(as_confidences(outputs, self._spec.output))

    def over_views(self, values: Tensor) -> Tensor:
        """The mean over the views of each image: (images * views, k) to (images, k)."""
        views = self._spec.views
        return values if views == 1 else values.view(-1, views, values.shape[1]).mean(1)
