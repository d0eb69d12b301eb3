"""The study of transfer: do the images fool other networks too? (Nguyen, Yosinski & Clune 2015, section 3.5)"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.store.reading import open_run
from fooling.studies.intervals import bootstrap, wilson
from fooling.studies.protocol import HERE, Failure, Report, Resources, attempt
from fooling.studies.transfer.measure import Responses, measure, source_of
from fooling.studies.transfer.result import Answer, Cell, Elite, Request, Result

__all__ = ["Request", "Result", "study"]


def study(
    request: Request,
    *,
    report: Report | None = None,
    stopping: threading.Event | None = None,
    resources: Resources = HERE,
) -> Result:
    """Show the elites of runs to other classifiers. A run or a target that can't be read is left out, while there is
    another; see `fooling.studies.protocol.Study`."""
    sources, unread = attempt(request.runs, lambda path: source_of(open_run(path), request.min_confidence))

    def ask(target: str) -> list[Responses]:
        return measure(sources, target, rerender=request.rerender, resources=resources, stopping=stopping)

    columns, unasked = attempt(request.to, ask, report=report, stopping=stopping)
    result = found(list(zip(*columns, strict=True)), request.min_confidence, [*unread, *unasked])
    object.__setattr__(result, "snapshots", {str(source.run.directory): source.run for source in sources})
    return result


def found(
    rows: Sequence[Sequence[Responses]], least: float, failures: Sequence[tuple[object, Exception]] = ()
) -> Result:
    """What targets responded, as a result.

    Args:
        rows: of each source, what each target responds.
        least: the confidence that an elite must have at home.
        failures: what was left out, and its error.
    """
    return Result(
        sources=tuple(str(row[0].source.run.directory) for row in rows),
        targets=tuple(response.target for response in rows[0]),
        min_confidence=least,
        cells=tuple(_cell(response) for row in rows for response in row),
        images=tuple(elite for row in rows for elite in _elites(row)),
        failures=tuple(Failure(what=str(what), reason=str(error)) for what, error in failures),
    )


def _cell(response: Responses) -> Cell:
    known, run = response.known, response.source.run
    confidence = response.confidence[known]
    values = confidence.astype(np.float64)
    return Cell(
        source=str(run.directory),
        source_model=run.spec.model,
        target=response.target,
        images=len(values),
        without_class=len(known) - len(values),
        **_share("same_top1", response.same_top1[known]),
        **_share("same_top5", response.same_top5[known]),
        **_statistic("mean_confidence", values, np.mean),
        **_statistic("median_confidence", values, np.median),
        **_share("at_least_99", confidence >= np.float32(0.99)),
        **_share("at_least_9999", confidence >= np.float32(0.9999)),
    )


def _share(name: str, hits: NDArray[np.bool_]) -> dict[str, Any]:
    """The share of hits and its interval, as fields of a cell; None of none."""
    count, every = int(hits.sum()), len(hits)
    return {name: count / every if every else None, f"{name}_ci95": wilson(count, every)}


def _statistic(name: str, values: NDArray[np.float64], statistic: Callable[..., Any]) -> dict[str, Any]:
    """A statistic of confidences and its interval, as fields of a cell; None of none."""
    found = float(statistic(values)) if len(values) else None
    return {name: found, f"{name}_ci95": bootstrap(values, statistic)}


def _elites(row: Sequence[Responses]) -> list[Elite]:
    """The elites of one source, and what every target says of each."""
    source = row[0].source
    return [
        Elite(
            source=str(source.run.directory),
            number=number,
            label=source.run.labels[number],
            confidence=float(source.confidences[place]),
            fools=tuple(response.target for response in row if response.same_top1[place]),
            targets=tuple(_answer(response, place) for response in row),
        )
        for place, number in enumerate(source.classes.tolist())
    ]


def _answer(response: Responses, place: int) -> Answer:
    known = bool(response.known[place])
    return Answer(
        target=response.target,
        confidence=float(response.confidence[place]) if known else None,
        rank=int(response.rank[place]) if known else None,
        top1=response.labels[response.top[place]],
        top1_confidence=float(response.top_confidence[place]),
    )
