"""The study of lineage: where did an elite come from? (Nguyen, Yosinski & Clune 2015, "Innovation Engines")"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from fooling.archive import called, first_answers
from fooling.errors import NotFoundError
from fooling.store.reading import lineage_of, open_run
from fooling.store.snapshot import Snapshot, class_of
from fooling.studies.lineage import walk
from fooling.studies.lineage.replay import Replayed, replay
from fooling.studies.lineage.result import Held, Identity, Member, Request, Result
from fooling.studies.lineage.walk import Ancestor
from fooling.studies.protocol import HERE, Progress, Report, Resources

__all__ = ["Request", "Result", "study"]


def study(
    request: Request,
    *,
    report: Report | None = None,
    stopping: threading.Event | None = None,
    resources: Resources = HERE,
) -> Result:
    """Breed an elite's ancestors once more; see `fooling.studies.protocol.Study`."""
    run = open_run(request.run)
    number = class_of(request.wanted, run.labels)
    if not run.occupied[number]:
        raise NotFoundError(f"{request.run}: class {number} has no elite yet")
    generation, stream, child = run.ids[number].tolist()
    family = walk.ancestors(lineage_of(run), (generation, stream, child))
    replayed = replay(run, family, trust=resources.trust, stopping=stopping)
    if report is not None:
        report(Progress(1, 1, f"{len(family):,} images"))
    result = found(run, number, replayed)
    object.__setattr__(result, "pixels", replayed.pixels)
    return result


def found(run: Snapshot, number: int, replayed: Replayed) -> Result:
    """The ancestors of the elite of class `number` as a result."""
    family, gains = replayed.family, walk.gains(run.curve)
    held, way = walk.classes_held(family, number), walk.line(family)
    on_line = {ancestor.identity for ancestor in way}
    return Result(
        run=str(run.directory),
        number=number,
        label=run.labels[number],
        model=run.spec.model,
        confidence=float(run.confidence[number]),
        ancestors=tuple(
            _member(
                run,
                ancestor,
                replayed.confidences[row],
                held[ancestor.identity],
                gains,
                ancestor.identity in on_line,
            )
            for row, ancestor in enumerate(family)
        ),
        classes_on_the_way=_on_the_way(way, number),
        replacements=run.counters.replacements,
        goal_switches=run.counters.goal_switches,
    )


def _member(
    run: Snapshot,
    ancestor: Ancestor,
    confidences: NDArray[np.float32],
    held: list[int],
    gains: dict[tuple[int, int], float],
    line: bool,
) -> Member:
    generation, stream, child = ancestor.identity
    (top1,), (sure,) = first_answers(confidences[None])
    own = next((number for number in held if confidences[number] == sure), held[0])
    top = int(called(own, confidences[own], top1, sure))
    return Member(
        generation=generation,
        stream=stream,
        child=child,
        parents=tuple(Identity(generation=g, stream=s, child=c) for g, s, c in ancestor.parents),
        held=tuple(
            Held(
                number=number,
                label=run.labels[number],
                confidence=float(confidences[number]),
                recorded=gains.get((generation, number)),
            )
            for number in held
        ),
        top1=top,
        top1_label=run.labels[top],
        top1_confidence=float(confidences[top]),
        line=line,
    )


def _on_the_way(way: list[Ancestor], number: int) -> tuple[int, ...]:
    """The classes that the line went through, each change once; the elite's own comes last."""
    passed = [ancestor.held[0] for ancestor in way if ancestor.parents]
    passed.append(number)
    return tuple(held for place, held in enumerate(passed) if place == 0 or held != passed[place - 1])
