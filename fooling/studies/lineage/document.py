"""An elite's ancestors as data: what `fooling lineage --json` prints. The keys are described in docs/lineage.md."""

from __future__ import annotations

from typing import Any

import numpy as np

from fooling.archive import called, first_answers
from fooling.store import events
from fooling.store.directory import RunDirectory
from fooling.store.snapshot import Snapshot
from fooling.studies.lineage.replay import Replayed
from fooling.studies.lineage.walk import Ancestor, Identity, line


def document(view: Snapshot, number: int, replayed: Replayed) -> dict[str, Any]:
    """The ancestors of the elite of class `number` as JSON-like data."""
    family, held = replayed.family, _held(replayed.family, number)
    way = {ancestor.identity for ancestor in line(family)}
    gains = _gains(view)
    return {
        "run": str(view.directory),
        "class": number,
        "label": view.labels[number],
        "model": view.spec.model,
        "confidence": float(view.confidence[number]),
        "ancestors": [
            _ancestor(view, ancestor, replayed.confidences[row], held[ancestor.identity], gains)
            | {"line": ancestor.identity in way}
            for row, ancestor in enumerate(family)
        ],
        "classes_on_the_way": _on_the_way(line(family), number),
        "replacements": int(view.counters.replacements),
        "goal_switches": int(view.counters.goal_switches),
    }


def _ancestor(
    view: Snapshot,
    ancestor: Ancestor,
    confidences: np.ndarray,
    held: list[int],
    gains: dict[tuple[int, int], float],
) -> dict[str, Any]:
    generation, stream, child = ancestor.identity
    (top1,), (sure,) = first_answers(confidences[None])
    own = next((number for number in held if confidences[number] == sure), held[0])
    top = int(called(own, confidences[own], top1, sure))
    return {
        "generation": generation,
        "stream": stream,
        "child": child,
        "parents": [
            dict(zip(("generation", "stream", "child"), parent, strict=True)) for parent in ancestor.parents
        ],
        "held": [
            {
                "class": number,
                "label": view.labels[number],
                "confidence": float(confidences[number]),
                "recorded": gains.get((generation, number)),
            }
            for number in held
        ],
        "top1": top,
        "top1_label": view.labels[top],
        "top1_confidence": float(confidences[top]),
    }


def _held(family: list[Ancestor], number: int) -> dict[Identity, list[int]]:
    """The classes that each held when it was chosen to be a parent; of the elite, the one that it is asked for."""
    held: dict[Identity, set[int]] = {ancestor.identity: set() for ancestor in family}
    held[family[-1].identity].add(number)
    for ancestor in family:
        for parent, held_class in zip(ancestor.parents, ancestor.held, strict=True):
            held[parent].add(held_class)
    return {identity: sorted(classes) for identity, classes in held.items()}


def _on_the_way(way: list[Ancestor], number: int) -> list[int]:
    """The classes that the line went through, each change once; the elite's own comes last."""
    passed = [ancestor.held[0] for ancestor in way if ancestor.parents]
    passed.append(number)
    return [held for place, held in enumerate(passed) if place == 0 or held != passed[place - 1]]


def _gains(view: Snapshot) -> dict[tuple[int, int], float]:
    """(generation, class) -> the confidence that its new elite had then, from the run's log."""
    log = events.read(RunDirectory(view.directory).events)
    return {
        (event["generation"], number): confidence
        for event in log
        if event["event"] == "generation"
        for number, confidence in event.get("gains", ())
    }
