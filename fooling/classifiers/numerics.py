"""The numerics of a run: everything besides the weights that the bits of a confidence depend on.

They are settings, not luck: resolved once, written in the manifest, obeyed by every executor, so that the
same images give the same bits (threads, memory layout and physical batch each move a float32 confidence by
up to a few 1e-6; see `docs/models.md`).
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

import torch
from pydantic import ConfigDict, Field

from fooling.errors import InvalidError

Layout = Literal["channels-last", "nchw"]

DEFAULT_BATCH = 50


@dataclass(frozen=True)
class Numerics:
    """How a classifier computes.

    Attributes:
        threads: CPU threads of one evaluator.
        layout: memory layout of images and weights; channels-last is up to twice as fast on CPUs.
        batch: rows of one forward pass. The last batch is padded to it.
        dtype: of the arithmetic; confidences are claims in float32.
        compiled: whether the network goes through `torch.compile`, which fuses its elementwise operations.
        device: "cpu", "cuda" or "cuda:N".
        device_model: what the device calls itself; other hardware may give other bits.
    """

    # A manifest, which may come from a stranger, is read by pydantic: these are the bounds of what is believed.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="ignore")

    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    layout: Layout = "channels-last"
    batch: Annotated[int, Field(ge=1, le=2**16)] = DEFAULT_BATCH
    dtype: Literal["float32"] = "float32"
    compiled: bool = False
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:[0-9]{1,3})?)$")] = "cpu"
    device_model: Annotated[str, Field(max_length=4096)] = ""

    def __post_init__(self) -> None:
        for name in ("threads", "batch"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidError(
                    f"numerics: expected {name} to be an integer of 1 or more, found {value!r}"
                )
        if self.layout not in get_args(Layout):
            raise InvalidError(f'numerics: expected layout "channels-last" or "nchw", found {self.layout!r}')
        if self.dtype != "float32":
            raise InvalidError(f'numerics: expected dtype "float32", found {self.dtype!r}')
        if not isinstance(self.compiled, bool):
            raise InvalidError(f"numerics: expected compiled to be true or false, found {self.compiled!r}")
        if self.device != "cpu" and self.device.partition(":")[0] != "cuda":
            raise InvalidError(f'numerics: expected device "cpu", "cuda" or "cuda:N", found {self.device!r}')

    @property
    def memory_format(self) -> torch.memory_format:
        """The layout in torch's words."""
        return torch.channels_last if self.layout == "channels-last" else torch.contiguous_format

    def to_dict(self) -> dict[str, Any]:
        """The fields by name: what a manifest holds."""
        return asdict(self)

    def applied(self) -> AbstractContextManager[None]:
        """Compute with this many threads inside the block. Free of cost in a thread that has them already."""
        before = torch.get_num_threads()
        return nullcontext() if before == self.threads else self._switched(before)

    @contextmanager
    def _switched(self, before: int) -> Iterator[None]:
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def resolve(
    device: str = "auto",
    threads: int | None = None,
    layout: Layout | None = None,
    batch: int | None = None,
    compiled: bool = False,
) -> Numerics:
    """Fill in what is left open. Nothing is timed: the answer depends on the machine and the arguments only.

    Args:
        device: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:N".

    Raises:
        InvalidError: a value out of its range, or a device that is not there.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    numerics = Numerics(
        threads=1 if threads is None else threads,
        layout="channels-last" if layout is None else layout,
        batch=DEFAULT_BATCH if batch is None else batch,
        compiled=compiled,
        device=device,
    )
    return Numerics(**{**numerics.to_dict(), "device_model": _device_model(device)})


def prepare_device(device: str) -> None:
    """Switch CUDA to its deterministic, full-precision arithmetic, for this process; nothing on the CPU.

    Operations without a deterministic form (the backward pass of some resizes) warn instead of failing.
    """
    if device == "cpu":
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with it
    # The older names of `fp32_precision`: where that is set, torch's own code that reads these fails (2.13).
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)


def _device_model(device: str) -> str:
    if device == "cpu":
        return _cpu_model()
    if not torch.cuda.is_available():
        raise InvalidError(f'device {device!r} asked for, but torch finds no CUDA here; use device "cpu"')
    try:
        return torch.cuda.get_device_name(device)
    except (RuntimeError, AssertionError, ValueError) as error:
        count = torch.cuda.device_count()
        raise InvalidError(f"device {device!r} asked for, but torch finds {count} CUDA devices") from error


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
