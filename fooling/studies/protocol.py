"""What all studies have in common: requests and results as data, progress, and what a study may compute with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol, TypedDict, TypeVar

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from fooling.drawn import Drawn
from fooling.errors import FoolingError, Interrupted
from fooling.validation import Data, Many, as_tuple

T = TypeVar("T")
R = TypeVar("R")


def _as_path(value: Any) -> Path:
    """A path, its text, or something with a `directory`, as a run has."""
    found = getattr(value, "directory", value)
    if not isinstance(found, str | Path):
        raise ValueError(f"expected a path, found {value!r}"[:160])
    return Path(found)


# A path, its text, or a run, which stands for its directory.
AnyPath = Annotated[Path, PlainValidator(_as_path), WithJsonSchema({"type": "string", "format": "path"})]
Interval = Annotated[tuple[float, float], BeforeValidator(as_tuple)]  # its low and its high end


class Request(Data):
    """What is asked. It may come from elsewhere: nothing in it lets code run or says where to compute."""


class Failure(Data):
    """A part of a request that could not be answered.

    Attributes:
        what: the run directory, or the SPEC of the model.
        reason: why it could not be answered, in one line.
    """

    what: str
    reason: str


class Result(Data, Drawn):
    """What was found: numbers and texts, all of which JSON can hold.

    The arrays that only drawings need are properties. The study fills them; a result that was read from JSON gets them
    from the run directories again.

    Attributes:
        failures: what is not part of the answer, and why. A result with failures is only partly done.
    """

    failures: Many[Failure] = Field((), alias="left_out")

    def document(self) -> dict[str, Any]:
        """The result as JSON-like data: what `--json` prints. What was left out comes last."""
        found = super().document()
        left_out = found.pop("left_out", None)
        return found if left_out is None else {**found, "left_out": left_out}


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Attributes:
        done: the steps that are done.
        total: all steps.
        text: the step that was done last, for people.
    """

    done: int
    total: int
    text: str


Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Resources:
    """What a study may compute with. Whoever calls the study says so; no request can.

    Attributes:
        trust: whether models may bring code of their own.
        workers: compute on so many Ray workers; None or 0: in this process, unless there is an address.
        address: the Ray cluster to compute on.
        wait: whether to wait for what the cluster lacks.
        notify: called with lines about what is waited for.
    """

    trust: bool = False
    workers: int | None = None
    address: str | None = None
    wait: bool = True
    notify: Callable[[str], None] = lambda _: None


HERE = Resources()  # this process alone


class StudyOptions(TypedDict, total=False):
    """How a study is asked, besides its request; see `Study.study`."""

    report: Report | None
    stopping: threading.Event | None
    resources: Resources


class Study(Protocol):
    """A question: a module with these three names."""

    Request: type[Any]
    Result: type[Any]

    def study(
        self,
        request: Any,
        *,
        report: Report | None = None,
        stopping: threading.Event | None = None,
        resources: Resources = HERE,
    ) -> Any:
        """Answer a request.

        Args:
            report: called after each step.
            stopping: when it is set, from any thread, the study ends before its next step.
            resources: what the study may compute with.

        Raises:
            FoolingError: no part of the request can be answered.
            Interrupted: the study was stopped.
        """
        ...


def attempt(
    items: Sequence[T],
    work: Callable[[T], R],
    least: int = 1,
    report: Report | None = None,
    stopping: threading.Event | None = None,
) -> tuple[list[R], list[tuple[T, FoolingError]]]:
    """Do some work on each item. What fails is left out, while enough is left.

    Args:
        least: how many items must not fail.
        report, stopping: see `Study`.

    Returns:
        The results, and the items that failed, each with its error.

    Raises:
        FoolingError: the first error, where fewer than `least` are left.
        Interrupted: the work was stopped.
    """
    done, failed = [], []
    for number, item in enumerate(items, 1):
        if stopping is not None and stopping.is_set():
            raise Interrupted
        try:
            done.append(work(item))
        except Interrupted:
            raise
        except FoolingError as error:
            failed.append((item, error))
        if report is not None:
            report(Progress(number, len(items), str(item)))
    if failed and len(done) < least:
        item, first = failed[0]
        raise first if str(item) in str(first) else type(first)(f"{item}: {first}")
    return done, failed
