"""The classifier: preprocessing, network and output kind behind one question, asked in two forms.

`confidences` takes float images and lets gradients through; `classify` takes the 8-bit pixels that a claim
is about. Both cut their images into the same physical batches, pad the last one and lay them out alike, so
an image's bits depend neither on the form nor on how many images come with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fooling.classifiers import answers, modules
from fooling.classifiers.batching import sent
from fooling.classifiers.features import layer_names, penultimate, pooled, recorded
from fooling.classifiers.fingerprint import fingerprint
from fooling.classifiers.forward import Forward, Network
from fooling.classifiers.hidden import hidden_state
from fooling.classifiers.numerics import Numerics, prepare_device, resolve
from fooling.classifiers.preprocessing import Preprocess
from fooling.classifiers.spec import LOGITS, Crop, Resize, Spec
from fooling.classifiers.synthetic import synthetic
from fooling.classifiers.validity import ClassifierError, expect_images, expect_pixels, in_range
from fooling.errors import FoolingError
from fooling.sizes import Size, sides, size_of

_log = logging.getLogger("fooling.classifiers")


class Classifier:
    """A network that may be asked from several threads at once.

    Attributes:
        spec: what is said about it.
        numerics: how it computes.
        fingerprint: 64 hex digits, the same in every process (`fooling.classifiers.fingerprint`).
        expected: (m, classes) float32, its known confidences on the synthetic batch, or None.
        mean_image: (input channels, height, width) float32, what the spec's `mean_image` names, or None.
        preprocess: from images to the network's input.
        images_per_pass: images of one forward pass.
        notes: what its source made out by itself, and a user should know: a line each.
    """

    def __init__(
        self,
        network: Network,
        spec: Spec,
        numerics: Numerics | None = None,
        *,
        mean_image: NDArray[np.float32] | None = None,
        identity: str = "",
        hidden: str | None = None,
        expected: NDArray[np.float32] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """As `from_module`, but the module itself is used, moved and laid out; besides:

        Args:
            identity: what tells the network from others besides its tensors, for the fingerprint.
            hidden: the network's `hidden_state` before it was used, where that is known: being asked may change it.
            expected: (m, classes) float32, its confidences on the synthetic batch, where they are known.
            notes: what the source made out by itself, a line each.

        Raises:
            InvalidError: as `from_module`.
        """
        if len(spec.labels) == 1 and spec.output in ("logits", "probabilities"):
            raise ClassifierError(
                f'{spec.name}: one label with output = "{spec.output}" would be 100 % certain of every image: for one '
                'logit say output = "sigmoid", for one number in [0, 1] output = "scores"; with one label, or with '
                "two, of which the number speaks for the second"
            )
        self.spec, self.notes = spec, notes
        self.expected = expected
        self.numerics = resolve() if numerics is None else numerics
        prepare_device(self.numerics.device)
        preprocess = Preprocess(spec, mean_image)
        if isinstance(network, nn.Module):
            modules.expect_initialised(network, spec)
        self._hidden = hidden_state(network) if hidden is None else hidden
        if isinstance(network, nn.Module):
            network = modules.in_float32(network, spec, preprocess)
        self.fingerprint = fingerprint(spec, network, preprocess, identity, self._hidden)
        if isinstance(network, nn.Module):
            network = network.to(self.numerics.device)
            if not isinstance(network, torch.jit.ScriptModule):
                network.to(memory_format=self.numerics.memory_format)  # type: ignore[call-overload]
        self.network = network
        self.mean_image, self._identity = mean_image, identity
        self.preprocess = preprocess.to(self.numerics.device)
        self._forward = Forward(network, self.preprocess, spec, self.numerics)
        self.images_per_pass = self._forward.images_per_pass

    @property
    def labels(self) -> tuple[str, ...]:
        """A name per class, in output order."""
        return self.spec.labels

    def with_numerics(self, numerics: Numerics) -> Classifier:
        """The same network under other numerics; this classifier stays as it is."""
        if numerics == self.numerics:
            return self
        network = self.network
        if remade := getattr(network, "with_numerics", None):
            network = remade(numerics)  # an ensemble, whose members compute under them too
        elif (numerics.device, numerics.layout) != (self.numerics.device, self.numerics.layout):
            network = modules.copied_network(network, self.spec)  # the constructor moves it
        return Classifier(
            network,
            self.spec,
            numerics,
            mean_image=self.mean_image,
            identity=self._identity,
            hidden=self._hidden,
            expected=self.expected,
            notes=self.notes,
        )

    def halved(self) -> Classifier:
        """The same network with half the physical batch, for when memory ran out.

        Raises:
            FoolingError: its passes are of one image already.
        """
        if self.images_per_pass == 1:
            raise FoolingError(
                f"{self.spec.name}: out of memory on {self.numerics.device} even with one image per forward "
                "pass; use another device, smaller images or a smaller network"
            )
        batch = self.numerics.batch // 2
        _log.warning("%s: out of memory: the physical batch is halved to %d", self.spec.name, batch)
        return self.with_numerics(replace(self.numerics, batch=batch))

    def with_input(self, size: Size | None = None, views: Literal["ten"] | None = None) -> Classifier:
        """The same network, given other images than its spec says; this classifier stays as it is.

        Args:
            size: of the images; they are resized (bilinear, antialiased) to what the spec expects, and so
                stretched where that has another aspect ratio.
            views: "ten": the mean over ten crops of what the network sees, 227/256 of the image's sides, as
                in the released code (Nguyen 2015), which cuts 227 out of 256 pixels.
        """
        spec, steps = self.spec, self.spec.preprocessing
        if size in (None, spec.size) and views in (None, "ten" if spec.views == 10 else None):
            return self
        if views == "ten":
            whole = size_of([round(side * 256 / 227) for side in sides(spec.input_size)])
            steps = steps.model_copy(
                update={"resize": Resize(size=whole), "crop": Crop(size=spec.input_size, views="ten")}
            )
        elif steps.resize is None:
            steps = steps.model_copy(update={"resize": Resize(size=spec.size)})
        return Classifier(
            self.network,
            spec.model_copy(update={"size": size or spec.size, "preprocessing": steps}),
            self.numerics,
            mean_image=self.mean_image,
            identity=self._identity,
            hidden=self._hidden,
        )

    @property
    def former_fingerprint(self) -> str:
        """The fingerprint as it was before hidden state had a part in it: that of old manifests."""
        return fingerprint(self.spec, self.network, self.preprocess, self._identity)

    @cached_property
    def answers(self) -> NDArray[np.float32]:
        """(m, classes) float32, its confidences on the synthetic batch: what it is, as far as that can be asked
        (`fooling.classifiers.answers`). The check has asked about the same images, so a remote classifier, which
        keeps what it was told, is sent nothing for them."""
        pixels = synthetic(self.spec.size, self.spec.channels)
        rows = min(self.numerics.batch, len(pixels) * self.spec.views)
        # As in the check: a batch that they fill, and nothing compiled for it.
        asked = self.with_numerics(replace(self.numerics, batch=rows, compiled=False))
        return asked.classify(pixels)

    def expect_answers(self, given: NDArray[np.float32], what: str) -> None:
        """Hold what another process answered against the answers here.

        Args:
            given: as `answers`, of the other one.
            what: begins the message.

        Raises:
            InvalidError: they differ.
        """
        answers.expect(answers.sampled(self.answers), given, what)

    @cached_property
    def differentiable(self) -> bool:
        """Whether gradients reach the images (tried once, on a grey image)."""
        try:
            return self._reached_by_gradients()
        except torch.OutOfMemoryError:  # a smaller batch answers the same question
            return self.halved().differentiable

    def _reached_by_gradients(self) -> bool:
        height, width, channels = self.spec.image_shape
        grey = torch.full((1, channels, height, width), 0.5).requires_grad_()
        with self.numerics.applied(), torch.enable_grad():
            outputs = self._forward.outputs(self._forward.full(grey))
            if not outputs.requires_grad:
                return False
            try:
                (gradient,) = torch.autograd.grad(outputs.sum(), grey, allow_unused=True)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError:  # an operation without a derivative
                return False
            return gradient is not None

    def confidences(self, images: Tensor, allow_nan: bool = False) -> Tensor:
        """The confidence of every class in every image.

        Args:
            images: (n, channels, height, width) float32 in [0, 1]. Gradients flow to them where they require
                them; otherwise nothing is recorded.
            allow_nan: give a row of NaN for an image that the network puts out NaN or infinity for, where that is
                an error otherwise.

        Returns:
            (n, classes) float32 in [0, 1], on the images' device.

        Raises:
            ClassifierError: images of another shape, dtype or range; a network that fails, or puts out
                another shape or anything but confidences.
        """
        return in_range(self._of_images(images, self._confidences), self.spec, allow_nan)

    @overload
    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]: ...

    @overload
    def logits(self, images: Tensor) -> Tensor: ...

    def logits(self, images: NDArray[np.uint8] | Tensor) -> NDArray[np.float32] | Tensor:
        """What the network puts out before the softmax or the sigmoids, from the forward pass of the confidences.

        Args:
            images: as of `confidences`; or 8-bit pixels, as of `classify`.

        Returns:
            (n, classes) float32, the mean over the views where there are ten crops: a tensor as of `confidences`, or
            what `classify` returns.

        Raises:
            ClassifierError: as `confidences`; or the network puts out no logits.
        """
        if self.spec.output not in LOGITS:
            raise ClassifierError(
                f'{self.spec.name}: expected output = "logits" for logits, '
                f'found "{self.spec.output}" (or "sigmoid")'
            )
        if isinstance(images, Tensor) and images.dtype != torch.uint8:
            logits: NDArray[np.float32] | Tensor = self.outputs(images)
        else:
            logits = self._of_pixels(images, self._mean_outputs)
        if not torch.as_tensor(logits).isfinite().all():
            raise ClassifierError(f"{self.spec.name}: expected finite logits, found NaN or infinity")
        return logits

    def outputs(self, images: Tensor) -> Tensor:
        """What the network puts out, a number per class, whatever it is: for looking into a network that may be
        broken. Otherwise as `logits` of float images."""
        return self._of_images(images, self._mean_outputs)

    @overload
    def classify(self, pixels: NDArray[np.uint8], allow_nan: bool = False) -> NDArray[np.float32]: ...

    @overload
    def classify(self, pixels: Tensor, allow_nan: bool = False) -> Tensor: ...

    def classify(
        self, pixels: NDArray[np.uint8] | Tensor, allow_nan: bool = False
    ) -> NDArray[np.float32] | Tensor:
        """The confidences of 8-bit images: those of `confidences(pixels / 255)`, bit for bit.

        Args:
            pixels: (n, height, width, channels) uint8: an array, or a tensor on any device.
            allow_nan: as of `confidences`.

        Returns:
            (n, classes) float32 in [0, 1]: an array, or a tensor on the pixels' device.

        Raises:
            ClassifierError: as `confidences`.
        """
        return in_range(self._of_pixels(pixels, self._confidences), self.spec, allow_nan)

    def layers(self) -> tuple[str, ...]:
        """The names of the layers that `features` knows, in the order of their definition; none where the network is
        no `torch.nn.Module`."""
        return layer_names(self.network)

    @property
    def penultimate(self) -> str:
        """The name under which `features` gives what the last linear layer turns into the outputs.

        Raises:
            ClassifierError: the network has no such layer.
        """
        return penultimate(self.network, self.spec)

    def features(self, pixels: NDArray[np.uint8], layer: str) -> NDArray[np.float32]:
        """What a layer puts out for 8-bit images (`fooling.classifiers.features`).

        Args:
            pixels: (n, height, width, channels) uint8.
            layer: a name that `layers` gives; with ":input" behind it, what goes into that layer.

        Returns:
            (n, F) float32, from the same physical batches as the confidences: of maps and tokens the mean over all
            positions, and over the views where there are ten crops. (0, 0) of no images.

        Raises:
            ClassifierError: as `classify`; the network is no `torch.nn.Module`, or has no such layer.
        """

        def head(batch: Tensor) -> Tensor:
            inputs = self._forward.inputs(batch)
            with recorded(self.network, layer, self.spec) as found:
                self._forward.run(self.network, inputs)
            return self._forward.over_views(pooled(found, layer, len(inputs), self.spec))

        return self._of_pixels(pixels, head) if len(pixels) else np.empty((0, 0), np.float32)

    def gradients(
        self, pixels: Tensor, seed: Callable[[Tensor], Tensor], allow_nan: bool = False
    ) -> tuple[Tensor, Tensor]:
        """The confidences of 8-bit images and, from the same forward pass, the way to other confidences:
        the gradient of an objective with respect to the images in [0, 1], at those 8 bits.

        Args:
            pixels: (n, height, width, channels) uint8, n at most `images_per_pass`.
            seed: takes what the network puts out, (n, views, classes) float32, and returns the objective's
                gradient with respect to it, of the same shape: an image's own objective, of its own rows.
            allow_nan: as of `confidences`; from an image whose confidences are NaN no way leads on: its gradient is 0.

        Returns:
            (n, classes) float32 in [0, 1]: those of `classify`, as far as the network's operations give the
            same bits whether gradients are recorded or not; and the gradients, of the
            pixels' shape, float32. Both on the network's device.

        Raises:
            ClassifierError: as `confidences`.
        """
        count = len(pixels)
        with self.numerics.applied():
            batch = self._forward.full(pixels.permute(0, 3, 1, 2)).requires_grad_()
            with torch.enable_grad():
                outputs = self._forward.outputs(batch)
            put_out = outputs.detach()
            confidences = self._forward.confidences(put_out)[:count]
            checked = in_range(confidences, self.spec, allow_nan)
            per_image = put_out.reshape(self.images_per_pass, self.spec.views, -1)
            seeds = torch.zeros_like(per_image)
            seeds[:count] = seed(per_image[:count])
            (gradient,) = torch.autograd.grad(outputs, batch, seeds.reshape(outputs.shape))
        gradient = gradient[:count]
        if checked is not confidences:
            gradient = gradient.masked_fill(checked[:, 0].isnan().view(-1, 1, 1, 1), 0.0)
        return checked, gradient.permute(0, 2, 3, 1)

    def _of_images(self, images: Tensor, head: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply `head` to physical batches of float images, through which gradients may flow."""
        expect_images(images, self.spec)
        if images.requires_grad and torch.is_grad_enabled() and not self.differentiable:
            raise ClassifierError(
                f"{self.spec.name}: no gradients reach the images: gradient ascent unavailable"
            )
        return self._forward.map(images, head)

    def _of_pixels(self, pixels: NDArray[np.uint8] | Tensor, head: Callable[[Tensor], Tensor]) -> Any:
        """Apply `head` to physical batches of 8-bit images; an array where they are one, else a tensor."""
        expect_pixels(pixels, self.spec)
        with torch.inference_mode():  # spares each of many small operations its book-keeping
            if isinstance(pixels, Tensor):
                return self._forward.map(pixels.permute(0, 3, 1, 2), head)
            images = sent(pixels, torch.device(self.numerics.device))
            return self._forward.map(images.permute(0, 3, 1, 2), head).cpu().numpy()

    def _confidences(self, batch: Tensor) -> Tensor:
        return self._forward.confidences(self._forward.outputs(batch))

    def _mean_outputs(self, batch: Tensor) -> Tensor:
        return self._forward.over_views(self._forward.outputs(batch))
