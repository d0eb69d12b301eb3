"""Hosts for tests of executors, made in a moment and with every trouble that a classifier can be.

Ray workers import this file; `build` is what their blueprints name.
"""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers import answers
from workers.host import Host
from workers.tasks import task

BUILDER = "tests.cheap_hosts:build"
BATCH = 8


class Cheap:
    """What an executor sees of a classifier."""

    def __init__(self, fingerprint: str = "cheap", batch: int = BATCH, certainty: float = 0.5) -> None:
        self.fingerprint = fingerprint
        self.answers = np.full((2, 3), certainty, np.float32)
        self.numerics = SimpleNamespace(batch=batch, device_model="none")

    def classify(self, pixels: Any) -> Any: ...

    def expect_answers(self, given: NDArray[np.float32], what: str) -> None:
        answers.expect(answers.sampled(self.answers), given, what)

    def halved(self) -> Cheap:
        return Cheap(self.fingerprint, self.numerics.batch // 2)


class Toolbox:
    """Just enough of DEAP's."""

    def __init__(self, classify: Any) -> None:
        self.classify = classify

    def register(self, name: str, function: Any) -> None:
        setattr(self, name, function)


def build(argument: dict[str, Any]) -> Host:
    """A host.

    Args:
        argument: "fingerprint" of its classifier, "certainty" of all its answers, "trouble" that it makes, "log" of the times it was asked.
    """
    _tell(argument.get("log"), "building")
    print("a cheap host is built", flush=True)
    if trouble := argument.get("trouble"):
        TROUBLES[trouble](Cheap())
    return make(argument.get("fingerprint", "cheap"), argument.get("certainty", 0.5))


def make(fingerprint: str = "cheap", certainty: float = 0.5) -> Host:
    classifier = Cheap(fingerprint, certainty=certainty)
    return Host(Toolbox(classifier.classify), classifier)


@dataclass(frozen=True)
class Job:
    """A chunk.

    Attributes:
        number: what the result is made of.
        seconds: that it takes.
        trouble: a name in `TROUBLES`.
        log: a file that gets a line each time the job is begun.
        times: how often it makes its trouble before it goes well.
    """

    number: int
    seconds: float = 0.0
    trouble: str = ""
    log: Path | None = None
    times: int = 10**9

    @property
    def name(self) -> str:
        return f"job {self.number}"


@dataclass(frozen=True)
class Numbers:
    """What all jobs share."""

    values: NDArray[np.float64]
    nbytes: int = field(default=0)


def _raise(classifier: Any) -> None:
    raise ValueError("the network\nbroke")


def _run_out_of_memory(classifier: Any) -> None:
    import torch

    if classifier.numerics.batch > BATCH // 2:
        raise torch.OutOfMemoryError("out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has ...")


TROUBLES = {
    "raise": _raise,
    "die": lambda classifier: os._exit(1),
    "exit": lambda classifier: exit(1),
    "hang": lambda classifier: time.sleep(3600),
    "memory": _run_out_of_memory,
}


@task
def toil(host: Host, shared: Numbers, job: Job) -> float:
    """The job's number times the sum of what is shared, to the last bit."""
    begun = _tell(job.log, str(os.getpid()))
    time.sleep(job.seconds)
    if job.trouble and begun <= job.times:
        TROUBLES[job.trouble](host.classifier)
    return float(shared.values.sum() * job.number)


@task
def look_around(host: Host, shared: Any, job: Job) -> dict[str, Any]:
    """Where this is."""
    time.sleep(job.seconds)
    return {
        "pid": os.getpid(),
        "node": platform.node(),
        "gpus": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
        "batch": host.classifier.numerics.batch,
        "ray node": _ray_node(),
    }


def _ray_node() -> str:
    import ray

    return ray.get_runtime_context().get_node_id()


def _tell(log: Path | None, line: str) -> int:
    """Add a line to a log; returns how many it has then."""
    if log is None:
        return 0
    with open(log, "a") as file:
        file.write(line + "\n")
    return len(Path(log).read_text().splitlines())
