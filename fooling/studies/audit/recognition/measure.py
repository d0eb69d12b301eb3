"""Scores every elite, and images of which the answer is known, by the rule that the room's docstring states."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.studies.audit.checks import Check, held, not_measurable
from fooling.studies.audit.images import Labelled, Real
from fooling.studies.audit.recognition.away import away_from
from fooling.studies.audit.recognition.likeness import Array
from fooling.studies.audit.recognition.panel import Panelist, asked, specs_of
from fooling.studies.audit.recognition.people import ENOUGH, shares_of
from fooling.studies.audit.recognition.pictures import LIKE, pictured
from fooling.studies.audit.recognition.result import Away, Control, Look, Part, Recognition
from fooling.studies.audit.recognition.scoring import Scores, Shown, scores_of
from fooling.studies.audit.searching import bare_settings, elites_of, evolved
from fooling.studies.audit.subject import Elites, Subject
from fooling.studies.audit.survival import waits_of
from fooling.studies.intervals import wilson

SURE = 0.99
CONTROL = 0.9  # the share of real images that have to look like their class, or the scores mean nothing
TOLERATED = 0.1  # the share of classes: a classifier passes where fewer have an image that fools it
_ELITES, _CONTROLS, _REAL = 2000, 300, 5000  # images of each kind, at most
_PURPOSE = 61  # of random numbers
_FOOLED, _TRUSTED = "recognition.fooled", "recognition.control"


def measure(subject: Subject) -> Part:
    """How much the elites look like their classes.

    Raises:
        FoolingError: a run failed.
        Interrupted: the audit was stopped.
    """
    runs = elites_of(subject)
    if not any(len(run) for run in runs):
        return _nothing("no run has an elite")
    elites = Labelled(
        np.concatenate([run.pixels for run in runs])[:_ELITES],
        np.concatenate([run.classes for run in runs])[:_ELITES],
    )
    real, none = subject.real, elites.take(np.zeros(0, np.int64))
    groups = {"elites": elites, **({} if real is None else _controls(subject, real))}
    kept = none if real is None else _some(real.fit, _REAL)
    held_out = none if real is None else _some(real.calibration, _REAL)
    shown = Shown.of(groups, kept, held_out)
    panel, failed = asked(subject, specs_of(subject), shown.pixels, shown.classes)
    scores = scores_of(shown, panel)
    looks = pictured(list(_looks(subject, runs, scores, bool(panel))), elites.pixels)
    controls = tuple(_control(name, scores.score[shown.kinds[name]]) for name in groups if name != "elites")
    part = _part(looks, controls, panel, failed)
    if real is None:
        return part
    away = _away(subject, kept, held_out)
    recognition = part.recognition.model_copy(update={"away": away})
    return Part(recognition=recognition, checks=(*part.checks, _kept_away(away)))


def _away(subject: Subject, kept: Labelled, held_out: Labelled) -> Away:
    """A search that is held away from real images, as long as one against a detector."""
    budget, target = subject.budget, away_from(subject.evaluator.classifier, kept, held_out)
    settings = {
        **bare_settings(subject, "cppn"),
        "search.generations": budget.adaptive_generations,
        "stop.confidence": SURE,
    }
    run = evolved(subject, "away-0", settings, classifier=target)
    classes = run.target_classes
    waits = waits_of(run, SURE, classes, "evaluations")
    hits = int(waits.happened.sum())
    return Away(
        runs=("runs/away-0",),
        budget=budget.population * (budget.adaptive_generations + 1),
        success=hits / len(classes),
        success_ci95=wilson(hits, len(classes)),
        images_50=waits.until(0.5),
    )


def _kept_away(away: Away) -> Check:
    """Whether few classes can be fooled by images that were held away from them."""
    why = (
        f"held away from real images of each class, a search finds images of {SURE} for {away.success:.0%} of the classes "
        f"within {away.budget:,} images"
    )
    passed = away.success < TOLERATED
    return held("recognition.away", passed, away.success, f"< {TOLERATED}", why, away.success_ci95)


def _controls(subject: Subject, real: Real) -> dict[str, Labelled]:
    """Images of which the answer is known: real ones, real ones said to be of another class, and noise."""
    test, count = _some(real.test, _CONTROLS), len(subject.spec.labels)
    random = subject.random(_PURPOSE)
    noise = random.integers(0, 256, test.pixels.shape, dtype=np.uint8)
    found = {"real": test, "noise": Labelled(noise, test.classes)}
    if count > 1:
        other = (test.classes + random.integers(1, count, len(test))) % count
        found["other class"] = Labelled(test.pixels, other)
    return found


def _some(images: Labelled, most: int) -> Labelled:
    """Evenly many of them, over all: they are in no order of their classes."""
    return images.take(np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(np.int64)))


def _looks(subject: Subject, runs: Sequence[Elites], scores: Scores, asked_panel: bool) -> Iterator[Look]:
    owners = [(run, place) for run in runs for place in range(len(run))]
    said = {run.name: shares_of(run.directory, subject.spec.labels) for run in runs}
    for row, (run, place) in enumerate(owners[:_ELITES]):
        number = int(run.classes[place])
        sha256 = hashlib.sha256(np.ascontiguousarray(run.pixels[place]).data).hexdigest()
        people, answers = said[run.name].get(sha256[:32], (None, 0))
        judged = people is not None and answers >= ENOUGH
        yield Look(
            run=run.name,
            number=number,
            label=subject.spec.labels[number],
            confidence=float(run.confidences[place]),
            score=people if judged else _number(scores.score[row]),
            basis="people" if judged else scores.basis(row),
            pixels=_number(scores.pixels[row]),
            features=_number(scores.features[row]),
            pixel_distance=_number(scores.pixel_distance[row]),
            feature_distance=_number(scores.feature_distance[row]),
            panel=_number(scores.panel[row]),
            panel_agrees=int(scores.agrees[row]) if asked_panel else None,
            people=people,
            answers=answers,
            sha256=sha256,
        )


def _number(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)


def _control(name: str, scores: Array) -> Control:
    known: NDArray[np.float32] = scores[~np.isnan(scores)]
    like = int((known >= LIKE).sum())
    return Control(
        name=name,
        images=len(known),
        mean=float(known.mean()) if len(known) else None,
        like=like / len(known) if len(known) else None,
        like_ci95=wilson(like, len(known)),
    )


def _part(
    looks: Sequence[Look], controls: Sequence[Control], panel: Sequence[Panelist], failed: Sequence[str]
) -> Part:
    scored = [look for look in looks if look.score is not None]
    sure = [look for look in scored if look.confidence >= SURE]
    fooling = [look for look in sure if look.score is not None and look.score < LIKE]
    trusted = _trusted(next((one for one in controls if one.name == "real"), None))
    found = Recognition(
        why=None if trusted.verdict == "pass" else trusted.why,
        panel=tuple(one.spec for one in panel),
        second=next((one.spec for one in panel if one.features is not None), None),
        not_asked=tuple(failed),
        looks=tuple(looks),
        controls=tuple(controls),
        scored=len(scored),
        like=sum(look.score is not None and look.score >= LIKE for look in looks),
        fooling=len(fooling) / len(sure) if sure else None,
        fooling_ci95=wilson(len(fooling), len(sure)),
    )
    return Part(recognition=found, checks=(trusted, _fooled(looks, scored, fooling, trusted)))


def _trusted(control: Control | None) -> Check:
    """Whether real images look like their own class by the score: else it means nothing."""
    threshold = f">= {CONTROL}"
    if control is None:
        return not_measurable(_TRUSTED, "needs labelled real images (--samples)", threshold)
    if control.like is None:
        why = "too few real images of each class, or neither pixels nor features tell the classes apart"
        return not_measurable(_TRUSTED, why, threshold)
    why = f"{control.like:.0%} of {control.images} real test images look like their class by the score"
    return held(_TRUSTED, control.like >= CONTROL, control.like, threshold, why, control.like_ci95)


def _fooled(looks: Sequence[Look], scored: Sequence[Look], fooling: Sequence[Look], trusted: Check) -> Check:
    """Whether few classes have an image of which the classifier is sure, and that does not look like them."""
    threshold = f"< {TOLERATED}"
    if trusted.verdict != "pass":
        return not_measurable(_FOOLED, f"the score can't be trusted here: {trusted.why}", threshold)
    classes, fooled = {look.number for look in scored}, {look.number for look in fooling}
    if not classes:
        return not_measurable(_FOOLED, "no elite is of a class that the score can tell", threshold)
    share = len(fooled) / len(classes)
    why = (
        f"{len(fooled)} of {len(classes)} classes have an image of confidence {SURE} that does not look like them; "
        f"{sum(look.score is not None and look.score >= LIKE for look in looks)} of {len(scored)} elites do look "
        "like their class"
    )
    return held(_FOOLED, share < TOLERATED, share, threshold, why, wilson(len(fooled), len(classes)))


def _nothing(why: str) -> Part:
    checks = (not_measurable(_TRUSTED, why, f">= {CONTROL}"), not_measurable(_FOOLED, why, f"< {TOLERATED}"))
    return Part(recognition=Recognition(why=why), checks=checks)
