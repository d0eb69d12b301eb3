"""The study of transfer: do the images fool other networks too? (Nguyen, Yosinski & Clune 2015, section 3.5)"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.store.reading import open_run
from fooling.studies.intervals import bootstrap, wilson
from fooling.studies.protocol import HERE, Failure, Interval, Report, Resources, attempt
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
    count, confidence = int(known.sum()), response.confidence[known]
    values = confidence.astype(np.float64)
    same_top1, same_top1_ci95 = _share(response.same_top1[known])
    same_top5, same_top5_ci95 = _share(response.same_top5[known])
    at_least_99, at_least_99_ci95 = _share(confidence >= np.float32(0.99))
    at_least_9999, at_least_9999_ci95 = _share(confidence >= np.float32(0.9999))
    return Cell(
        source=str(run.directory),
        source_model=run.spec.model,
        target=response.target,
        images=count,
        without_class=len(known) - count,
        same_top1=same_top1,
        same_top1_ci95=same_top1_ci95,
        same_top5=same_top5,
        same_top5_ci95=same_top5_ci95,
        mean_confidence=float(values.mean()) if count else None,
        mean_confidence_ci95=bootstrap(values, np.mean),
        median_confidence=float(np.median(values)) if count else None,
        median_confidence_ci95=bootstrap(values, np.median),
        at_least_99=at_least_99,
        at_least_99_ci95=at_least_99_ci95,
        at_least_9999=at_least_9999,
        at_least_9999_ci95=at_least_9999_ci95,
    )


def _share(hits: NDArray[np.bool_]) -> tuple[float | None, Interval | None]:
    """The share of hits and its interval; None of none."""
    count, all_of = int(hits.sum()), len(hits)
    return count / all_of if all_of else None, wilson(count, all_of)


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
