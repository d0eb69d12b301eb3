"""What elites look like, as data."""

from __future__ import annotations

from fooling.studies.audit.checks import Check
from fooling.studies.protocol import Interval
from fooling.validation import Data, Many


class Look(Data):
    """How much an elite looks like its class.

    Attributes:
        run: the name of its run.
        number, label: its class.
        confidence: of the audited classifier in it.
        score: recognisability, 0 to 1; None where it can't be told.
        basis: what the score rests on: "people", "pixels", "features", "panel"; the least of the last three.
        pixels, features: nearness to real images of the class, 0 to 1; None where the space can't tell the class.
        pixel_distance, feature_distance: to the nearest real image of the class, as root mean square.
        panel: the mean confidence of other networks in the class.
        panel_agrees: how many of them answer with the class first.
        people: the share of people's answers that name the class; None where nobody was asked.
        answers: how many people's answers there are.
        sha256: of the image's pixels.
        png: the image itself, in base64, of the few that a page shows; None of the others.
    """

    run: str
    number: int
    label: str
    confidence: float
    score: float | None
    basis: str | None
    pixels: float | None
    features: float | None
    pixel_distance: float | None
    feature_distance: float | None
    panel: float | None
    panel_agrees: int | None
    people: float | None = None
    answers: int = 0
    sha256: str
    png: str | None = None


class Control(Data):
    """Images of which the answer is known, scored by the same rule.

    Attributes:
        name: "real", "other class" (a real image scored for another class), "noise".
        images: how many.
        mean: of their scores; None of none.
        like: the share of scores of a half or more; None of none.
        like_ci95: its interval.
    """

    name: str
    images: int
    mean: float | None
    like: float | None
    like_ci95: Interval | None


class Away(Data):
    """A search that is held away from real images of each class, by their pixels.

    Attributes:
        runs: the run directories.
        budget: images of a run.
        success: the share of classes with an image of confidence 0.99 or more that does not look like them.
        success_ci95: its interval.
        images_50: images until half of the classes have one; None: not within the budget.
    """

    runs: Many[str]
    budget: int
    success: float
    success_ci95: Interval | None
    images_50: float | None


class Recognition(Data):
    """How much the elites look like their classes.

    Attributes:
        why: why there are no scores; None where there are.
        panel: SPECs of the other networks.
        not_asked: a line for each that could not be asked.
        second: the SPEC of the one whose features are compared; None: none.
        looks: of each elite.
        controls: images of which the answer is known.
        like: elites with a score of a half or more: they look like their class, and fool nobody.
        scored: elites that have a score.
        fooling: the share of the scored elites of confidence 0.99 or more whose score is below a half.
        fooling_ci95: its interval.
        away: a search that is held away from real images; None without such images.
    """

    why: str | None = None
    panel: Many[str] = ()
    not_asked: Many[str] = ()
    second: str | None = None
    looks: Many[Look] = ()
    controls: Many[Control] = ()
    like: int = 0
    scored: int = 0
    fooling: float | None = None
    fooling_ci95: Interval | None = None
    away: Away | None = None


class Part(Data):
    """This part of an audit."""

    recognition: Recognition
    checks: Many[Check]
