"""The statistics of elites' confidences; a run's log reads back as a `Logbook` of DEAP."""

from __future__ import annotations

from typing import Any

import numpy as np
from deap import tools
from numpy.typing import NDArray
from pydantic import Field

from fooling.validation import Data


def describe(confidence: NDArray[Any]) -> dict[str, Any]:
    """The statistics of some classes' confidences, by the one rule of every log, table, page and document: a class
    without an elite counts as 0.

    Args:
        confidence: (n,) floats of the classes that a search is for, NaN where one has no elite; n >= 1.

    Returns:
        `median`, `mean`, `min`, `max`, `at_least_0.99`, `at_least_0.9999`; and `occupied`, the classes that have an
        elite.
    """
    values = np.nan_to_num(confidence, nan=0.0)
    return {
        "median": float(np.median(values)),
        "mean": float(np.mean(values, dtype=np.float64)),
        "min": float(values.min()),
        "max": float(values.max()),
        "at_least_0.99": int((values >= np.float32(0.99)).sum()),
        "at_least_0.9999": int((values >= np.float32(0.9999)).sum()),
        "occupied": int((~np.isnan(confidence)).sum()),
    }


class Statistics(Data):
    """How sure a classifier is of the elites of some classes, by the rule of `describe`.

    Attributes:
        median, mean, min, max: of the confidences.
        at_least_99, at_least_9999: the numbers of classes with such a confidence.
        occupied: the number of classes that have an elite.
        classes: the number of all classes that are counted.
    """

    median: float
    mean: float
    min: float
    max: float
    at_least_99: int = Field(alias="at_least_0.99")
    at_least_9999: int = Field(alias="at_least_0.9999")
    occupied: int
    classes: int

    @classmethod
    def of(cls, confidence: NDArray[Any]) -> Statistics:
        """The statistics of some classes' confidences; see `describe`."""
        return cls(**describe(confidence), classes=len(confidence))


def logbook(events: list[dict[str, Any]]) -> tools.Logbook:
    """The generations of a run's events as a DEAP logbook."""
    book = tools.Logbook()
    for event in events:
        if event["event"] == "generation":
            book.record(**{name: value for name, value in event.items() if name != "event"})
    return book
