"""What transforms do, as data."""

from __future__ import annotations

from fooling.studies.audit.checks import Check
from fooling.studies.audit.shares import Share
from fooling.validation import Data, Many


class Survival(Data):
    """What becomes of images that fool the bare classifier: those that it calls their class first, with at least 0.99.

    Attributes:
        encoding: of the runs that made them.
        kept_50, kept_99: the share that still is called its class first, with at least 0.5 and 0.99.
        shift: by how much the confidence in their class changes, on average; None where there are none.
    """

    encoding: str
    kept_50: Share
    kept_99: Share
    shift: float | None


class Cost(Data):
    """What becomes of real test images.

    Attributes:
        accuracy: the share that is named right through the transform.
        bare: the share that the bare classifier names right.
        rejected_50, rejected_99: of those that it names right with at least 0.5 and 0.99, the share that falls below:
            what a service would lose that believes such confidences only.
    """

    accuracy: Share
    bare: float
    rejected_50: Share
    rejected_99: Share


class Evolved(Data):
    """A search against transform and classifier together: it sees what they answer, and needs no gradient.

    Attributes:
        encoding: of the images.
        runs: how many.
        budget: images of a run.
        success: the share of classes with an image that is given 0.99 through the transform.
        median: of the confidences of the best images of all classes.
        images_50, images_90: how many images the transform held for: when half, and nine tenths, of the classes had such
            an image; None: longer than the budget.
        bare_50, bare_90: the same without the transform.
    """

    encoding: str
    runs: int
    budget: int
    success: Share
    median: float
    images_50: float | None
    images_90: float | None
    bare_50: float | None
    bare_90: float | None


class Filter(Data):
    """A transform in front of the classifier.

    Attributes:
        name, text, parameters: what it is.
        survival: of elites that were evolved without it, by encoding.
        cost: on real images; None where there are none.
        evolved: a search that knows of it; None where there was none.
        why: what was not measured, and why; None where all was.
    """

    name: str
    text: str
    parameters: dict[str, float]
    survival: Many[Survival] = ()
    cost: Cost | None = None
    evolved: Evolved | None = None
    why: str | None = None


class Part(Data):
    """This part of an audit."""

    transforms: Many[Filter]
    checks: Many[Check]
