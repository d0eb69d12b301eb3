"""A search through a simulated service, within a budget of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.synthetic import COUNT
from fooling.classifiers.wrapped import wrapped
from fooling.errors import InvalidError
from fooling.store.snapshot import Snapshot
from fooling.studies.audit import answers
from fooling.studies.audit.black_box import watch
from fooling.studies.audit.black_box.book import Book, Entry
from fooling.studies.audit.black_box.restriction import Restriction
from fooling.studies.audit.black_box.service import Client, Service
from fooling.studies.audit.searching import evolved
from fooling.studies.audit.subject import Elites, Subject

ENCODING = "cppn"
LEVEL = 0.99
FAILURES = 0.05  # of requests
CHECKED = COUNT + 2  # images that the check before a run asks about
_LARGEST, _GENERATIONS = 50, 20  # children of a generation, of which there are to be so many at least
_AGAIN = 4  # images for each query that is left, at most


@dataclass(frozen=True)
class Plan:
    """A search.

    Attributes:
        restriction: what the service says.
        budget: queries of a run.
        first: images that are sent before the search begins, and their classes; None: none.
    """

    restriction: Restriction
    budget: int
    first: Elites | None = None

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.restriction.name}-{self.budget}" + ("" if self.first is None else "-stand-in")


def service_of(subject: Subject, restriction: Restriction) -> Service:
    """The classifier under audit behind a counter."""
    classifier = subject.evaluator.classifier
    return Service(
        confidences=lambda images: np.nan_to_num(classifier.classify(images, allow_nan=True)),
        fingerprint=classifier.fingerprint,
        classes=len(classifier.labels),
        normalised=classifier.spec.output in ("logits", "probabilities"),
        restriction=restriction,
        failures=FAILURES,
    )


def searched(subject: Subject, plan: Plan, number: int, doubtful: float | None) -> dict[str, Any]:
    """A run of the plan, as JSON-like data; see `fooling.studies.audit.black_box.result.Scenario`.

    Args:
        doubtful: the margin below which a query is doubtful.

    Raises:
        InvalidError: the budget is too small for a search.
        Interrupted: the audit was stopped.
    """
    name = f"black_box/{plan.name}-{number}"
    book = Book(subject.store.path / "runs" / Path(f"{name}.sqlite"))
    try:
        client = Client(service_of(subject, plan.restriction), book, plan.budget)
        first = None if plan.first is None else _sent_first(client, plan)
        spent = 0 if first is None else len(first.elites)
        run = evolved(
            subject,
            name,
            settings_of(plan.budget - spent, client.copies),
            classifier=wrapped(
                client,
                subject.spec,
                subject.evaluator.classifier.numerics,
                f"{subject.spec.name} through {plan.restriction.name}",
            ),
            seed=subject.seed + number,
        )
        reached = _reached(subject, run, first)
        count, entries = book.count, book.entries()
    finally:
        book.close()
    copies = watch.near_copies(np.stack([entry.prints for entry in entries]))
    margins = [entry.margin for entry in entries]
    low = None if doubtful is None else watch.low_margins(margins, doubtful)
    return {
        **reached,
        "waits": _waits(entries, plan.restriction, client.copies, spent, reached["classes"]),
        "copies": client.copies,
        "queries": count.billed,
        "sent": count.sent,
        "near-copies": [watch.first_of(copies), float(copies.mean())],
        "low-margins": None if low is None else [watch.first_of(low), float(low.mean())],
    }


def settings_of(queries: int, copies: int) -> dict[str, Any]:
    """The settings of a run that goes on until so many queries are spent, the check before it included: an image that was
    asked about before costs none, so it may have several times as many images.

    Raises:
        InvalidError: they are too few.
    """
    images = queries // copies - CHECKED
    population = min(_LARGEST, images // _GENERATIONS)
    if population < 2:
        least = copies * (CHECKED + 2 * _GENERATIONS)
        raise InvalidError(f"{queries} queries are too few for a search: expected {least} at least")
    return {
        "encoding.name": ENCODING,
        "search.name": "map-elites",
        "search.population": population,
        "search.generations": _AGAIN * images // population,
        "run.evaluators": 1,  # so that queries have an order
    }


@dataclass(frozen=True)
class _First:
    """Images that were sent before the search.

    Attributes:
        elites: those that were sent.
        believed: (n,) bool: whether the service called each its class, with at least 0.99 where it says scores.
    """

    elites: Elites
    believed: NDArray[np.bool_]


def _sent_first(client: Client, plan: Plan) -> _First:
    """Send the best of the images, for at most half of the budget."""
    elites = plan.first
    assert elites is not None
    most = plan.budget // 2
    elites = Elites(
        elites.name,
        elites.encoding,
        elites.directory,
        elites.pixels[:most],
        elites.classes[:most],
        elites.confidences[:most],
    )
    said = client.ask(elites.pixels)
    believed = said.classes[:, 0] == elites.classes
    if plan.restriction.scores != "label":
        believed &= said.scores[:, 0] >= np.float32(LEVEL)
    return _First(elites, believed)


def _reached(subject: Subject, run: Snapshot, first: _First | None) -> dict[str, Any]:
    """What the images of a run, and those that were sent before, are in truth."""
    elites = Elites.of(run)
    count = len(subject.spec.labels)
    truly, called = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    best = np.zeros(count, np.float32)
    believed = np.nan_to_num(run.confidence) >= np.float32(LEVEL)
    for some in (elites, *([] if first is None else [first.elites])):
        said = answers.named(subject, some.pixels, some.classes)
        truly[some.classes] |= said.at_least(LEVEL)
        called[some.classes] |= said.first
        np.maximum.at(best, some.classes, np.nan_to_num(said.confidence))
    if first is not None:
        believed[first.elites.classes] |= first.believed
    return {
        "success": int(truly.sum()),
        "first": int(called.sum()),
        "believed": int(believed.sum()),
        "classes": count,
        "best": [float(value) for value in best],
    }


def _waits(
    entries: Sequence[Entry], restriction: Restriction, copies: int, sent_first: int, classes: int
) -> list[list[float | bool]]:
    """After how many queries each class was reached, as the search saw it, and whether it was: listed with 0.99; or, where
    there are only labels, the answer to an image that was sent first, or to all copies of another."""
    times, happened = np.full(classes, float(len(entries))), np.zeros(classes, np.bool_)
    labels = np.array([entry.classes[0] for entry in entries])
    for number, entry in enumerate(entries, 1):
        label = int(labels[number - 1])
        if restriction.scores != "label":
            there = bool(entry.scores[0] >= np.float32(LEVEL))
        else:
            whole = (number - sent_first) % copies == 0
            there = number <= sent_first or (
                whole and bool((labels[number - copies : number] == label).all())
            )
        if there and label >= 0 and not happened[label]:
            times[label], happened[label] = number, True
    return [[float(time), bool(there)] for time, there in zip(times, happened, strict=True)]
