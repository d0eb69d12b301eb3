"""Fooling effort as data."""

from __future__ import annotations

from fooling.studies.audit.checks import Check
from fooling.studies.protocol import Interval
from fooling.validation import Data, Many


class Effort(Data):
    """What a way of searching takes to a level of confidence, in images and in seconds. Classes that were not reached
    when the budget ended count as not reached until then (Kaplan & Meier 1958); none is left out.

    Attributes:
        method: "cppn" or "direct" (MAP-Elites with that encoding), or "gradient-ascent".
        level: the confidence.
        group: the classes that are counted; None: all.
        classes, runs: how many; each class of each run is waited for.
        budget: images of a run, at most.
        share: of classes that were reached within the budget.
        images_50, images_90: after how many images half, and nine tenths, of the classes have such an elite; None:
            not within the budget.
        seconds_50, seconds_90: likewise.
        ..._ci95: intervals from a bootstrap over runs; None with one run, or where a resample does not get there.
        curve: [images, share of classes reached], a step function.
    """

    method: str
    level: float
    group: str | None = None
    classes: int
    runs: int
    budget: int
    share: float
    share_ci95: Interval | None = None
    images_50: float | None = None
    images_50_ci95: Interval | None = None
    images_90: float | None = None
    images_90_ci95: Interval | None = None
    seconds_50: float | None = None
    seconds_90: float | None = None
    curve: Many[Many[float]] = ()


class Method(Data):
    """A way of searching.

    Attributes:
        name: "cppn", "direct" or "gradient-ascent".
        runs: the run directories.
        why: why it was not tried; None where it was.
    """

    name: str
    runs: Many[str] = ()
    why: str | None = None


class Fooled(Data):
    """What it takes to fool the bare classifier.

    Attributes:
        methods: the ways of searching.
        efforts: for each of them, level and group.
    """

    methods: Many[Method] = ()
    efforts: Many[Effort] = ()


class Part(Data):
    """This part of an audit."""

    fooled: Fooled
    checks: Many[Check]
