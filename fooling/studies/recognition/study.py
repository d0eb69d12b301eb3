"""What people saw in the images of runs: their answers are read from the run directories and counted."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from fooling.store import people
from fooling.store.reading import open_run
from fooling.studies import protocol
from fooling.studies.protocol import HERE, Report, Resources, attempt
from fooling.studies.recognition.result import EncodingPeople, People, Request, Result, RunPeople
from fooling.studies.recognition.statistics import Judgement, answers_of, judgements, people_of

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

__all__ = ["Request", "Result", "people_in", "study"]


def study(
    request: Request,
    *,
    report: Report | None = None,
    stopping: threading.Event | None = None,
    resources: Resources = HERE,
) -> Result:
    """Count the answers of each run, and of all runs with the same encoding together.

    Raises:
        FoolingError: no run can be read.
    """
    done, failed = attempt(request.runs, _of_run, report=report, stopping=stopping)
    encodings = sorted({run.encoding for run, given in done if given})
    return Result(
        runs=tuple(run for run, _ in done),
        encodings=tuple(_of_encoding(name, done) for name in encodings),
        failures=tuple(protocol.Failure(what=str(path), reason=str(error)) for path, error in failed),
    )


def _of_run(path: Path) -> tuple[RunPeople, list[Judgement]]:
    view = open_run(path)
    told = people.read(view.directory, len(view.labels))
    run = RunPeople(
        run=str(path),
        model=view.spec.model,
        encoding=view.spec.config.encoding.name,
        people=people_of(told, view.labels),
    )
    return run, judgements(told, view.labels)[0]


def _of_encoding(name: str, done: list[tuple[RunPeople, list[Judgement]]]) -> EncodingPeople:
    mine = [given for run, given in done if run.encoding == name and given]
    return EncodingPeople(
        encoding=name, runs=len(mine), **dict(answers_of([one for given in mine for one in given]))
    )


def people_in(view: Snapshot) -> People | None:
    """What people said of a run; None where nobody was asked.

    Raises:
        InvalidError: the file with their answers can't be read.
    """
    return people_of(people.read(view.directory, len(view.labels)), view.labels)
