"""What of fooling works through a service that says little and counts queries, and whether it would notice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from fooling.errors import InvalidError, OutOfAnswers
from fooling.studies.audit.black_box import watch
from fooling.studies.audit.black_box.restriction import Restriction
from fooling.studies.audit.black_box.result import Alarm, BlackBox, Part, Scenario
from fooling.studies.audit.black_box.scenario import FAILURES, LEVEL, Plan, searched
from fooling.studies.audit.black_box.stand_in import Found, elites_of_stand_in, shown
from fooling.studies.audit.checks import Check, held, not_measurable
from fooling.studies.audit.shares import Share, share_of
from fooling.studies.audit.subject import Subject
from fooling.studies.audit.survival import Waits

RESTRICTIONS = (
    Restriction("top-k", k=5, decimals=2),
    Restriction("top-k", k=1, decimals=2),
    Restriction("label"),
)
TOLERATED = 0.1  # of classes
_PURPOSE = 6  # of random numbers
_REAL = 1000  # real images that the watch is tried on, at most


def measure(subject: Subject) -> Part:
    """Each access within each budget, without a stand-in and with its elites first.

    Raises:
        FoolingError: a run failed.
        Interrupted: the audit was stopped.
    """
    found = elites_of_stand_in(subject)
    try:
        quiet = subject.once("black_box/quiet", partial(_quiet, subject))
        stand_in = shown(subject, found)
    except OutOfAnswers as error:  # of a remote classifier: a search can't be paid for either
        return Part(checks=(not_measurable("black_box", str(error)),))
    plans = [
        Plan(restriction, budget, first)
        for restriction in _restrictions(subject)
        for budget in subject.budget.queries
        for first in ([None, found.elites] if isinstance(found, Found) else [None])
    ]
    scenarios = [_scenario(subject, plan, quiet) for plan in plans]
    return Part(
        black_box=BlackBox(
            failures=FAILURES,
            doubtful_below=quiet["doubtful_below"],
            stand_in=stand_in,
            scenarios=tuple(scenarios),
        ),
        checks=tuple(check for one in scenarios for check in _checks(one)),
    )


def _restrictions(subject: Subject) -> Sequence[Restriction]:
    """What is simulated. A remote service says what it says; five labels of five are all; the only label says nothing."""
    count = len(subject.spec.labels)
    if subject.access.lacks("many images"):
        return (Restriction(),)
    return [
        each
        for each in RESTRICTIONS
        if (each.k == 1 or each.k < count) and (each.scores != "label" or count > 1)
    ]


def _quiet(subject: Subject) -> dict[str, float | None]:
    """What the watch takes of real images: where margins are doubtful, and how often it gives false alarms."""
    real = subject.real
    if real is None:
        return {"doubtful_below": None, "near-copies": None, "low-margins": None}
    evaluate = subject.evaluator.evaluate
    calibration, test = real.calibration.pixels[:_REAL], real.test.pixels[:_REAL]
    bound = watch.doubtful_below(watch.margins(evaluate(calibration).confidences))
    low = watch.low_margins(watch.margins(evaluate(test).confidences).tolist(), bound)
    return {
        "doubtful_below": bound,
        "near-copies": float(watch.near_copies(watch.fingerprints(test)).mean()),
        "low-margins": float(low.mean()),
    }


def _scenario(subject: Subject, plan: Plan, quiet: dict[str, Any]) -> Scenario:
    about: dict[str, Any] = {
        "access": plan.restriction.name,
        "text": plan.restriction.text,
        "stand_in": plan.first is not None,
        "budget": plan.budget,
    }
    try:
        runs = [
            subject.once(
                f"black_box/{plan.name}-{number}",
                partial(searched, subject, plan, number, quiet["doubtful_below"]),
            )
            for number in range(subject.budget.adaptive_runs)
        ]
    except (InvalidError, OutOfAnswers) as error:
        return Scenario(**about, why=str(error))

    def share(key: str) -> Share:
        counts = [run["classes"] for run in runs]
        return share_of(
            [run[key] for run in runs], counts, subject.random(_PURPOSE), subject.budget.resamples
        )

    waits = np.array([pair for run in runs for pair in run["waits"]], np.float64).reshape(-1, 2)
    together = Waits(waits[:, 0], waits[:, 1] > 0)
    return Scenario(
        **about,
        copies=runs[0]["copies"],
        runs=len(runs),
        queries=max(run["queries"] for run in runs),
        sent=max(run["sent"] for run in runs),
        success=share("success"),
        first=share("first"),
        believed=share("believed"),
        median=float(np.median([run["best"] for run in runs])),
        queries_50=together.until(0.5),
        queries_90=together.until(0.9),
        alarms=tuple(
            _alarm(name, runs, quiet[name])
            for name in ("near-copies", "low-margins")
            if runs[0][name] is not None
        ),
    )


def _alarm(name: str, runs: Sequence[dict[str, Any]], real: float | None) -> Alarm:
    return Alarm(
        name=name,
        first=tuple(run[name][0] for run in runs),
        share=float(np.mean([run[name][1] for run in runs])),
        real=real,
    )


def _checks(found: Scenario) -> list[Check]:
    """Whether it works, and whether it would be noticed in time."""
    stand_in = ".stand-in" if found.stand_in else ""
    id, threshold = f"black_box.{found.access}.{found.budget}{stand_in}", f"< {TOLERATED}"
    says_scores = found.access != "label"
    share = found.success if says_scores else found.first
    if share is None or share.value is None:
        return [not_measurable(f"{id}.success", found.why or "nothing was counted", threshold)]
    what = f"get an image of {LEVEL}" if says_scores else "get an image that is called so"
    checks = [
        held(
            f"{id}.success",
            share.value < TOLERATED,
            share.value,
            threshold,
            f"through {found.text}, {share.value:.0%} of the classes {what} within {found.budget:,} queries "
            f"({found.runs} runs)",
            share.ci95,
        )
    ]
    return checks + [_noticed(f"{id}.{alarm.name}", found, alarm) for alarm in found.alarms]


def _noticed(id: str, found: Scenario, alarm: Alarm) -> Check:
    """Whether every run raises an alarm before it has reached half of the classes, while real images raise few."""
    if alarm.real is None:
        return not_measurable(
            id, "needs labelled real images (--samples): how often would they raise an alarm?"
        )
    half = found.queries_50
    before = found.budget if half is None else half
    last = None if None in alarm.first else max(number for number in alarm.first if number is not None)
    noticed = last is not None and last <= before
    quiet = alarm.real <= 0.01
    when = (
        "no alarm in some run" if last is None else f"the first alarm comes at query {last:,} at the latest"
    )
    goal = (
        "half of the classes are not reached"
        if half is None
        else f"half of the classes are reached after {half:,.0f}"
    )
    return held(
        id,
        noticed and quiet,
        None if last is None else float(last),
        f"<= {before:,.0f}",
        f"a service that looks for {alarm.name}: {when}; {goal}; false alarms on real images: {alarm.real:.1%}",
    )
