"""What an audit will take, told before it begins: images to classify, and how fast this machine classifies them."""

from __future__ import annotations

import time

from fooling.classifiers.synthetic import synthetic
from fooling.config import RunSettings
from fooling.runs.evaluator import open_evaluator
from fooling.studies.audit.budget import Budget, budget_of
from fooling.studies.audit.parts import PARTS
from fooling.studies.audit.report import names
from fooling.studies.audit.request import Request
from fooling.studies.protocol import Resources

_TIMED = 500  # images
_ACCESSES = 6  # of the black box: three, each with and without a stand-in


def foretold(request: Request, resources: Resources) -> str:
    """A line: how many images, and about how long.

    Raises:
        FoolingError: the classifier can't be loaded.
    """
    budget, total = budget_of(request.depth), images_of(request)
    run = RunSettings(workers=resources.workers or None, address=resources.address)
    with open_evaluator(request.model, run=run, trust=resources.trust) as evaluator:
        spec = evaluator.classifier.spec
        pixels = synthetic(spec.size, spec.channels, _TIMED)
        evaluator.evaluate(pixels[:50])  # the first pass is slower than all others
        began = time.perf_counter()
        evaluator.evaluate(pixels)
        rate = _TIMED / max(time.perf_counter() - began, 1e-6)
    hours = total / rate / 3600
    taken = f"{hours:.0f} hours" if hours >= 2 else f"{max(1, round(60 * hours))} minutes"
    return (
        f"a {budget.depth} audit: about {total:,} images to classify; at {rate:,.0f} a second, as measured here, at "
        f"least {taken}. It may be stopped at any time (Ctrl-C), and the same command goes on"
    )


def images_of(request: Request) -> int:
    """About how many images an audit classifies, most of them in searches."""
    budget: Budget = budget_of(request.depth)
    wanted = request.parts or tuple(PARTS)
    tried = names()
    adaptive = budget.population * (budget.adaptive_generations + 1)
    searches = {
        "effort": 2 * budget.runs * budget.evaluations,
        "detectors": len(tried["detectors"]) * budget.adaptive_runs * adaptive,
        "transforms": len(tried["transforms"]) * budget.adaptive_runs * adaptive,
        "black_box": _ACCESSES * budget.adaptive_runs * sum(budget.queries),
    }
    return sum(count for part, count in searches.items() if part in wanted) + budget.real
