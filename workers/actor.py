"""What runs in a Ray worker process: one host, which computes registered tasks.

No exception travels between processes: an answer says in words what went wrong, so that the driver can read
it even where it lacks the module of the exception. Importing this file imports neither Ray nor torch.
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

from fooling.errors import FoolingError, first_line
from workers.allocator import keep_freed_memory
from workers.host import Host
from workers.tasks import compute


@dataclass(frozen=True)
class Blueprint:
    """How a worker makes its host.

    Attributes:
        builder: "module:function", a function that returns a Host when it is called with `argument`.
        argument: anything that Ray can send.
    """

    builder: str
    argument: Any

    def build(self) -> Host:
        """Make the host."""
        module, _, function = self.builder.partition(":")
        return getattr(importlib.import_module(module), function)(self.argument)


@dataclass(frozen=True)
class Shared:
    """What all chunks of a call to `map` share, in the form in which it is sent to a worker.

    Attributes:
        map_number: the number of the call; a worker unpacks what is shared once per call.
        payload: the pickle of what is shared; or, where that is large, a list of one reference to the object
            store.
    """

    map_number: int
    payload: bytes | list[Any]

    def unpack(self) -> Any:
        """What is shared. Arrays from the object store are read-only views."""
        if isinstance(self.payload, bytes):
            return pickle.loads(self.payload)
        import ray

        return ray.get(self.payload[0])


@dataclass(frozen=True)
class Answer:
    """The outcome of a call.

    Attributes:
        kind: "done"; "memory" if the memory of the device ran out; "failed" if anything else went wrong;
            "lost" if the worker was gone before it began.
        value: the result if done, else one line that says what happened.
        trace: the traceback on the worker, if an exception was raised there.
    """

    kind: Literal["done", "memory", "failed", "lost"]
    value: Any
    trace: str = ""

    def error(self, line: str) -> FoolingError:
        """An error of this one line, with the traceback on the worker as a note."""
        error = FoolingError(line)
        if self.trace:
            error.add_note(f"On the worker:\n{self.trace}")
        return error


class Worker:
    """Computes tasks on a host of its own. Every call is pure and may be repeated on another worker."""

    def __init__(self) -> None:
        self._host: Host | None = None
        self._shared: tuple[int, Any] = (-1, None)

    def prepare(self, blueprint: Blueprint) -> Answer:
        """Make the host. The value of the answer is a dict: "node", "pid", "device", "fingerprint" and
        "answers" (those of the classifier; "" and None where there is none)."""
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
        """Write what this process prints to a file in a folder. Returns whether that could be done; the
        folder may not exist on this machine."""
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
        """Compute a task for a chunk; the value of the answer is the result.

        Args:
            batch: the physical batch that the run has now; None if it was never halved.
        """
        assert self._host is not None
        try:
            if self._shared[0] != shared.map_number:
                self._shared = (shared.map_number, shared.unpack())
            if batch is not None:
                while self._host.classifier.numerics.batch > batch:
                    self._host.halve_batch()
            return Answer("done", compute(self._host, task, self._shared[1], chunk))
        except Exception as error:
            return _failure(error)


def _failure(error: Exception) -> Answer:
    trace = traceback.format_exc()
    print(trace, file=sys.stderr, flush=True)  # for the worker's log
    line = first_line(error)
    if is_out_of_memory(error):
        return Answer("memory", line)
    known = isinstance(error, FoolingError)
    return Answer("failed", line if known else f"{type(error).__name__}: {line}", trace)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception says that the memory of a device ran out."""
    torch = sys.modules.get("torch")  # if torch was never imported, no device is in use
    return torch is not None and isinstance(error, torch.OutOfMemoryError)
