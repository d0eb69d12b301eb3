"""What runs in a Ray worker process: one host, which computes registered tasks.

Nothing is raised across processes: answers say what went wrong in words, so that the driver, which may lack
the modules of an exception, can always read them. Importing this file imports neither Ray nor torch.
"""

from __future__ import annotations

import importlib
import os
import pickle
import platform
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fooling.errors import FoolingError
from workers.allocator import keep_freed_memory
from workers.host import Host
from workers.tasks import compute


@dataclass(frozen=True)
class Blueprint:
    """How a worker makes its host.

    Attributes:
        builder: "module:function"; called with `argument`, it returns a Host.
        argument: anything that Ray can send.
    """

    builder: str
    argument: Any

    def build(self) -> Host:
        """The host."""
        module, _, function = self.builder.partition(":")
        return getattr(importlib.import_module(module), function)(self.argument)


@dataclass(frozen=True)
class Shared:
    """What all chunks of a call to `map` share, on its way to a worker.

    Attributes:
        number: of the call: a worker unpacks each only once.
        payload: its pickle; or, where it is large, a list of the one reference to it in the object store.
    """

    number: int
    payload: bytes | list[Any]

    def unpack(self) -> Any:
        """What was shared. Arrays from the object store are read-only views of it."""
        if isinstance(self.payload, bytes):
            return pickle.loads(self.payload)
        import ray

        return ray.get(self.payload[0])


@dataclass(frozen=True)
class Answer:
    """What came of a call.

    Attributes:
        kind: "done"; "memory": the device's memory ran out; "failed"; "lost": not begun, its worker is gone.
        value: the result; for the others one line that says what happened.
        trace: of what was raised, the worker's traceback.
    """

    kind: Literal["done", "memory", "failed", "lost"]
    value: Any
    trace: str = ""

    def error(self, line: str) -> FoolingError:
        """An error of one line; who asks for its traceback sees the worker's too."""
        error = FoolingError(line)
        if self.trace:
            error.add_note(f"On the worker:\n{self.trace}")
        return error


class Worker:
    """Computes tasks on a host of its own. Its calls are pure: any of them may be repeated elsewhere."""

    def __init__(self) -> None:
        self._host: Host | None = None
        self._shared: tuple[int, Any] = (-1, None)

    def prepare(self, blueprint: Blueprint) -> Answer:
        """Make the host; done: {"node", "pid", "device", "fingerprint", "answers"} of it."""
        keep_freed_memory()
        try:
            self._host = blueprint.build()
            classifier = self._host.classifier
            facts = {
                "node": platform.node(),
                "pid": os.getpid(),
                "device": classifier.numerics.device_model if classifier else "",
                "fingerprint": classifier.fingerprint if classifier else "",
                "answers": classifier.answers if classifier else None,
            }
        except Exception as error:
            return _failure(error)
        return Answer("done", facts)

    def log_into(self, folder: str) -> bool:
        """Send what this process prints to a file in a folder, where that is there and can be written."""
        try:
            path = Path(folder) / f"worker-{platform.node()}-{os.getpid()}.log"
            file = open(path, "ab", buffering=0)
        except OSError:
            return False
        with file:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        return True

    def compute(self, task: str, shared: Shared, chunk: Any, batch: int | None) -> Answer:
        """The result of a task for a chunk.

        Args:
            batch: the physical batch of the run by now; None where it was never halved.
        """
        assert self._host is not None
        try:
            if self._shared[0] != shared.number:
                self._shared = (shared.number, shared.unpack())
            if batch is not None:
                while self._host.classifier.numerics.batch > batch:
                    self._host.halve_batch()
            return Answer("done", compute(self._host, task, self._shared[1], chunk))
        except Exception as error:
            return _failure(error)


def _failure(error: Exception) -> Answer:
    trace = traceback.format_exc()
    print(trace, file=sys.stderr, flush=True)  # for the worker's log
    line = (str(error).strip().splitlines() or [""])[0][:300]
    if is_out_of_memory(error):
        return Answer("memory", line)
    known = isinstance(error, FoolingError)
    return Answer("failed", line if known else f"{type(error).__name__}: {line}", trace)


def is_out_of_memory(error: Exception) -> bool:
    torch = sys.modules.get("torch")  # where it was never imported, its memory did not run out
    return torch is not None and isinstance(error, torch.OutOfMemoryError)
